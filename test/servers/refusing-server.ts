import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { DatabaseKind } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { storageCall } from '../../src/storage/storage-call.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';

/** Accounts that the server does not let in although their password is right, and one that it lets in once at a time. */
const ACCOUNTS = {
  PostgreSQL: {
    once: "create role NAME login password 'pw' connection limit 1",
    shut: [
      "create role NAME nologin password 'pw'",
      "create role NAME login password 'pw' valid until '2020-01-01'",
    ],
  },
  MariaDB: {
    once: "create user NAME@'127.0.0.1' identified by 'pw' with max_user_connections 1",
    shut: [
      "create user NAME@'127.0.0.1' identified by 'pw' account lock",
      "create user NAME@'127.0.0.1' identified by 'pw' password expire",
      "create user NAME@'127.0.0.1' identified by 'pw' require ssl",
    ],
  },
} as const;

const GRANT = { PostgreSQL: undefined, MariaDB: "grant all on *.* to NAME@'127.0.0.1'" } as const;

/** What a server does not let us do, and how the operator hears of it. */
export function refusingServer(server: () => DatabaseServer, kind: DatabaseKind): void {
  const openAdmin = async (t: Pick<TestContext, 'after'>) => {
    const url = await server().createDatabase();
    const admin = await openDatabase(url);
    t.after(() => admin.close());
    const run = (text: string) => sql.raw(text).execute(admin.kysely);
    const addAccount = async (statement: string): Promise<string> => {
      const name = `u${randomBytes(6).toString('hex')}`;
      await run(statement.replace('NAME', name));
      const grant = GRANT[kind];
      if (grant !== undefined) await run(grant.replace('NAME', name));
      return Object.assign(new URL(url), { username: name, password: 'pw' }).href;
    };
    return { url, run, addAccount };
  };

  describe('refusals', () => {
    it('an account that may not be used is a matter of the address', async (t) => {
      const { addAccount } = await openAdmin(t);
      for (const statement of ACCOUNTS[kind].shut) {
        const opening = openDatabase(await addAccount(statement));
        await assert.rejects(
          opening,
          { name: 'DatabaseUrlError', message: /refuses this user.*: \S/ },
          statement,
        );
      }
    });

    it('a server without a connection left passes: it is waited for', async (t) => {
      const { addAccount } = await openAdmin(t);
      const url = await addAccount(ACCOUNTS[kind].once);
      const first = await openDatabase(url, { poolSize: 1, timeoutMs: 10_000 });
      // The connection by which the server was looked at may still be ending there.
      await storageCall(first, () => sql`select 1`.execute(first.kysely));
      const second = openDatabase(url, { poolSize: 1, timeoutMs: 10_000 });
      await assert.rejects(second, { name: 'StorageUnavailable', fault: 'crowded' });
      const waiting = openDatabase(url, { poolSize: 1, timeoutMs: 10_000 });
      await first.close();
      await (await waiting).close();
    });

    // A session of PostgreSQL has the rights and the login of the moment.
    if (kind === 'MariaDB') {
      it('what a session was refused for ends when the operator has put it right', async (t) => {
        const { url, run } = await openAdmin(t);
        const name = new URL(url).pathname.slice(1);
        const heal = async (user: string, fault: string, harm: string, remedy: string) => {
          const account = `${user}@'127.0.0.1'`;
          const say = (text: string) => run(text.replaceAll('ACCOUNT', account).replaceAll('NAME', name));
          await say("create user ACCOUNT identified by 'pw'");
          await say('grant select, insert on NAME.* to ACCOUNT');
          const database = await openDatabase(
            Object.assign(new URL(url), { username: user, password: 'pw' }).href,
          );
          t.after(() => database.close());
          const ask = () => storageCall(database, () => sql`select * from asked`.execute(database.kysely));
          await ask();
          const heard = () =>
            ask().then(
              () => undefined,
              (error: unknown) => error instanceof StorageUnavailable && error.fault,
            );
          await say(harm);
          await say(`kill user ${user}`);
          await until(async () => (await heard()) === fault, `a session that is refused after ${harm}`);
          await say(remedy);
          await until(async () => (await heard()) === undefined, `a session that works after ${remedy}`);
        };
        await run('create table asked (once int)');
        await Promise.all([
          heal(
            'expired',
            'refused',
            'alter user ACCOUNT password expire',
            "alter user ACCOUNT identified by 'pw'",
          ),
          heal(
            'blind',
            'forbidden',
            'revoke select on NAME.* from ACCOUNT',
            'grant select on NAME.* to ACCOUNT',
          ),
        ]);
      });
      // In MySQL each of our columns has its own character set.
      return;
    }
    it('a database that cannot keep every text is refused before anything is made in it', async (t) => {
      const { url, run } = await openAdmin(t);
      const name = `l${randomBytes(6).toString('hex')}`;
      await run(`create database ${name} encoding 'LATIN1' locale 'C' template template0`);
      const database = await openDatabase(Object.assign(new URL(url), { pathname: name }).href);
      t.after(() => database.close());
      const refusal = { name: 'DatabaseUrlError', message: /is LATIN1.*encoding 'UTF8'/ };
      await assert.rejects(migrate(database), refusal);
      const tables = await database.kysely.introspection.getTables({ withInternalKyselyTables: true });
      assert.deepEqual(tables, []);
    });
  });
}
