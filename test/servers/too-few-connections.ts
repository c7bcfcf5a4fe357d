import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, type TestContext, test } from 'node:test';
import { sql } from 'kysely';
import type { Database } from '../../src/storage/database.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import type { DatabaseServer } from '../helpers/database-server.ts';
import type { DatabaseKind } from '../helpers/find-server.ts';
import { startTestService } from '../helpers/test-service.ts';
import { until } from '../helpers/until.ts';

/** An account that owns the database NAME and may have two connections, and what changes that. */
const STATEMENTS = {
  PostgreSQL: {
    create: ["create role USER login password 'pw' connection limit 2", 'alter database NAME owner to USER'],
    grants: (connections: number) =>
      `alter role USER connection limit ${connections === 0 ? -1 : connections}`,
    changePassword: "alter role USER password 'other'",
    held: "select count(*) as held from pg_stat_activity where usename = 'USER'",
  },
  MariaDB: {
    create: [
      "create user USER@'127.0.0.1' identified by 'pw' with max_user_connections 2",
      "grant all on NAME.* to USER@'127.0.0.1'",
    ],
    grants: (connections: number) => `alter user USER@'127.0.0.1' with max_user_connections ${connections}`,
    changePassword: "alter user USER@'127.0.0.1' identified by 'other'",
    held: "select count(*) as held from information_schema.processlist where user = 'USER'",
  },
} as const;

/** A server that refuses new connections while those of the pool work. */
export const tooFewConnections = (server: () => DatabaseServer, kind: DatabaseKind): void => {
  const statements = STATEMENTS[kind];
  const openScene = async (t: TestContext) => {
    const url = await server().createDatabase();
    const admin = await openDatabase(url);
    t.after(() => admin.close());
    const user = `u${randomBytes(6).toString('hex')}`;
    const name = new URL(url).pathname.slice(1);
    const run = async (text: string) => {
      const { rows } = await sql
        .raw<{ held: unknown }>(text.replaceAll('USER', user).replaceAll('NAME', name))
        .execute(admin.kysely);
      return rows;
    };
    for (const statement of statements.create) await run(statement);
    const service = await startTestService(t, {
      databaseUrl: Object.assign(new URL(url), { username: user, password: 'pw' }).href,
      settings: { APP_PUSH_ROUNDTRIP_WAIT: '15000', DATABASE_POOL_SIZE: '10', DATABASE_TIMEOUT: '2000' },
    });
    const phone = await service.phone();
    const callAtOnce = async (calls: number) => {
      const asked = Array.from({ length: calls }, () => service.ask({ account: phone.account }));
      for (const { body, outcome } of await Promise.all(asked)) assert.equal(body, 'status=ACK', outcome);
    };
    const readiness = async () => {
      const answer = await fetch(`${service.url}/readyz`);
      return `${answer.status} ${await answer.text()}`;
    };
    return { service, phone, run, callAtOnce, readiness };
  };

  describe('a server that refuses new connections', () => {
    test('more calls at once than it grants connections: all ring; the pool grows when it may', async (t) => {
      const { run, callAtOnce, readiness, phone } = await openScene(t);
      for (let round = 0; round < 3; round += 1) await callAtOnce(50);
      const registered = await Promise.all(Array.from({ length: 10 }, () => phone.register()));
      assert.deepEqual(new Set(registered.map(({ status }) => status)), new Set([200]));
      assert.match(await readiness(), /^200 .*"degraded".*refuses new connections: \d of 10/);

      await run(statements.grants(0));
      await until(async () => {
        await callAtOnce(20);
        const [row] = await run(statements.held);
        return Number(row?.held) > 2;
      }, 'the pool has grown');
      await callAtOnce(50);
    });

    test('a password that was changed, so that only new connections are refused: calls ring', async (t) => {
      const { run, callAtOnce } = await openScene(t);
      await callAtOnce(20);
      await run(statements.changePassword);
      for (let round = 0; round < 3; round += 1) await callAtOnce(50);
    });

    test('no connection at all: NAK within a second with what the server said in the log; later all is well', async (t) => {
      const { service, phone, run, callAtOnce } = await openScene(t);
      const kill =
        kind === 'PostgreSQL'
          ? "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'USER'"
          : "kill user 'USER'@'127.0.0.1'";
      // MariaDB takes 0 for no limit: one connection, held by somebody else.
      await run(statements.grants(1));
      await run(kill);
      let other: Database | undefined;
      t.after(() => other?.close());
      await until(async () => {
        try {
          other ??= await openDatabase(service.databaseUrl, { poolSize: 1, timeoutMs: 10_000 });
          await sql`select 1`.execute(other.kysely);
          return true;
        } catch {
          return false;
        }
      }, 'somebody else has the only connection');
      assert.ok(other);
      const hold = sql
        .raw(kind === 'PostgreSQL' ? 'select pg_sleep(3)' : 'select sleep(3)')
        .execute(other.kysely);
      const { outcome } = await service.ask({ account: phone.account });
      assert.equal(outcome, 'storage-unavailable');
      const logged = JSON.stringify(service.logged);
      assert.match(logged, /takes no more connections/);
      await hold;
      await run(statements.grants(2));
      await until(
        async () => (await service.ask({ account: phone.account })).outcome === 'ready',
        'calls ring again',
      );
      await callAtOnce(50);
    });
  });
};
