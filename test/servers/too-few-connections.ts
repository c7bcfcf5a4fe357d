import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { DatabaseKind } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { startTestService } from '../helpers/test-service.ts';

/** An account that owns the database NAME and may have two connections, and what changes that. */
const STATEMENTS = {
  PostgreSQL: {
    create: ["create role USER login password 'pw' connection limit 2", 'alter database NAME owner to USER'],
    grants: (connections: number) =>
      `alter role USER connection limit ${connections === 0 ? -1 : connections}`,
    changePassword: "alter role USER password 'other'",
    held: "select count(*) as held from pg_stat_activity where usename = 'USER'",
    refuse: 'alter role USER connection limit 0',
    refusal: /takes no more connections/,
    admit: 'alter role USER connection limit 2',
    kill: "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'USER'",
  },
  MariaDB: {
    create: [
      "create user USER@'127.0.0.1' identified by 'pw' with max_user_connections 2",
      "grant all on NAME.* to USER@'127.0.0.1'",
    ],
    grants: (connections: number) => `alter user USER@'127.0.0.1' with max_user_connections ${connections}`,
    changePassword: "alter user USER@'127.0.0.1' identified by 'other'",
    held: "select count(*) as held from information_schema.processlist where user = 'USER'",
    refuse: "alter user USER@'127.0.0.1' account lock",
    refusal: /refuses this user/,
    admit: "alter user USER@'127.0.0.1' account unlock",
    kill: 'kill user USER',
  },
} as const;

/** A server that refuses new connections while those of the pool work. */
export function tooFewConnections(server: () => DatabaseServer, kind: DatabaseKind): void {
  const statements = STATEMENTS[kind];
  const openScene = async (t: TestContext) => {
    const url = await server().createDatabase();
    const admin = await openDatabase(url, { poolSize: 1, timeoutMs: 60_000 });
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
      // Time for a machine that is busy with other tests.
      settings: { APP_PUSH_ROUNDTRIP_WAIT: '30000', DATABASE_POOL_SIZE: '10', DATABASE_TIMEOUT: '15000' },
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
    it('more calls at once than it grants connections: all ring; the pool grows when it may', async (t) => {
      const { run, callAtOnce, readiness, phone } = await openScene(t);
      for (let round = 0; round < 3; round += 1) await callAtOnce(50);
      const registered = await Promise.all(Array.from({ length: 10 }, () => phone.register()));
      assert.deepEqual(new Set(registered.map(({ status }) => status)), new Set([200]));
      // Shown for a while after each refusal; a busy machine takes longer than that for all of the above.
      await until(async () => {
        await callAtOnce(20);
        return /^200 .*"degraded".*refuses new connections: \d of 10/.test(await readiness());
      }, 'the refusals show');

      await run(statements.grants(0));
      await until(async () => {
        await callAtOnce(20);
        const [row] = await run(statements.held);
        return Number(row?.held) > 2;
      }, 'the pool has grown');
      await callAtOnce(50);
    });

    it('a password that was changed, so that only new connections are refused: calls ring', async (t) => {
      const { run, callAtOnce } = await openScene(t);
      await callAtOnce(20);
      await run(statements.changePassword);
      for (let round = 0; round < 3; round += 1) await callAtOnce(50);
    });

    it('no connection at all: NAK, with the reason in the log; later all is well', async (t) => {
      const { service, phone, run, callAtOnce } = await openScene(t);
      await run(statements.refuse);
      await run(statements.kill);
      await until(
        async () => (await service.ask({ account: phone.account })).outcome === 'storage-unavailable',
        'no connection is left',
      );
      assert.match(JSON.stringify(service.logged), statements.refusal);
      await run(statements.admit);
      await until(
        async () => (await service.ask({ account: phone.account })).outcome === 'ready',
        'calls ring again',
      );
      await callAtOnce(50);
    });
  });
}
