import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { DatabaseKind } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { startTestService } from '../helpers/test-service.ts';

/** What holds up changes and lets reads through, and how it ends. */
const LOCKS = {
  PostgreSQL: [['begin', 'lock table devices in exclusive mode'], 'rollback'],
  MariaDB: [['flush tables with read lock'], 'unlock tables'],
} as const;

const GRANTS = {
  PostgreSQL: {
    create: "create role USER login password 'pw'",
    all: [
      'apps',
      'app_changes',
      'devices',
      'provider_tokens',
      'kysely_migration',
      'kysely_migration_lock',
    ].map((table) => `grant select, insert, update, delete on ${table} to USER`),
    revoke: (right: string) => `revoke ${right} on devices from USER`,
    waiting:
      "select count(*) as held from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
  },
  MariaDB: {
    create: "create user USER@'127.0.0.1' identified by 'pw'",
    all: [
      'apps',
      'app_changes',
      'devices',
      'provider_tokens',
      'kysely_migration',
      'kysely_migration_lock',
    ].map((table) => `grant select, insert, update, delete on NAME.${table} to USER@'127.0.0.1'`),
    revoke: (right: string) => `revoke ${right} on NAME.devices from USER@'127.0.0.1'`,
    waiting:
      "select count(*) as held from information_schema.processlist where state like 'Waiting for%lock' and db is not null",
  },
} as const;

/** A server that takes no changes, for other reasons than that it only reads. */
export function blockedChanges(server: () => DatabaseServer, kind: DatabaseKind): void {
  const prepare = async (t: TestContext, user = '') => {
    const databaseUrl = await server().createDatabase();
    const admin = await openDatabase(databaseUrl, { poolSize: 1, timeoutMs: 60_000 });
    t.after(() => admin.close());
    await migrate(admin);
    const name = new URL(databaseUrl).pathname.slice(1);
    const run = async (text: string) => {
      const statement = text.replaceAll('USER', user).replaceAll('NAME', name);
      return (await sql.raw<{ held: unknown }>(statement).execute(admin.kysely)).rows;
    };
    return { run, databaseUrl };
  };
  const start = async (t: TestContext, databaseUrl: string) => {
    // Time for a machine that is busy with other tests.
    const settings = { APP_PUSH_ROUNDTRIP_WAIT: '30000', DATABASE_POOL_SIZE: '4', DATABASE_TIMEOUT: '3000' };
    const service = await startTestService(t, { databaseUrl, settings });
    const readiness = async () => {
      const answer = await fetch(`${service.url}/readyz`);
      return `${answer.status} ${await answer.text()}`;
    };
    return { service, readiness };
  };

  describe('a server that takes no changes', () => {
    it("a dump's lock: calls ring, also while many phones register; degraded, nothing piles up, then all is well", async (t) => {
      const { run, databaseUrl } = await prepare(t);
      const { service, readiness } = await start(t, databaseUrl);
      const phone = await service.phone();
      const others = await Promise.all(Array.from({ length: 12 }, () => service.phone()));
      const dump = await openDatabase(databaseUrl, { poolSize: 1, timeoutMs: 60_000 });
      const [locking, unlocking] = LOCKS[kind];
      await dump.kysely.connection().execute(async (connection) => {
        for (const statement of locking) await sql.raw(statement).execute(connection);
        try {
          assert.match(await readiness(), /^200 .*"degraded".*phones cannot register: .*(lock|locked)/);
          for (let round = 0; round < 2; round += 1) {
            const registering = others.map((other) => other.register());
            const calls = Array.from({ length: 10 }, () => service.ask({ account: phone.account }));
            for (const { body, outcome } of await Promise.all(calls))
              assert.equal(body, 'status=ACK', outcome);
            for (const { status } of await Promise.all(registering)) assert.equal(status, 503);
          }
          for (let probes = 0; probes < 40; probes += 1) await readiness();
          // A statement that was given up may take a busy server a moment to end.
          const held = async () => Number((await run(GRANTS[kind].waiting))[0]?.held);
          await until(
            async () => (await held()) <= 4,
            'no more sessions wait for the lock than the pool has',
          );
          assert.equal(await service.metric('vialer_middleware_readiness{subject="registrations"}'), 1);
          assert.equal(await service.metric('mysql_health'), 1);
          const isTold = () => service.logged.some(({ message }) => message.startsWith('degraded'));
          await until(isTold, 'the log says so');
        } finally {
          await sql.raw(unlocking).execute(connection);
        }
      });
      await dump.close();
      assert.equal((await phone.register()).status, 200);
      await until(async () => /^200 .*"ready"/.test(await readiness()), 'the service is ready');
    });

    it('a right that is missing: calls ring, degraded with the reason', async (t) => {
      const user = `u${randomBytes(6).toString('hex')}`;
      const { run, databaseUrl } = await prepare(t, user);
      const { create, all, revoke } = GRANTS[kind];
      await run(create);
      for (const grant of all) await run(grant);
      const limited = Object.assign(new URL(databaseUrl), { username: user, password: 'pw' }).href;
      // The first one adds the apps, for which it needs more.
      await start(t, databaseUrl);
      const { service, readiness } = await start(t, limited);
      const phone = await service.phone();
      assert.match(await readiness(), /^200 .*"ready"/);
      for (const right of ['update', 'insert', 'delete']) {
        await run(revoke(right));
        assert.match(await readiness(), /^200 .*"degraded".*lacks a right: .*INSERT/, right);
        assert.equal((await service.ask({ account: phone.account })).outcome, 'ready', right);
        await run(all[2] ?? '');
        await until(async () => /"ready"/.test(await readiness()), 'it is ready again');
      }
      await run(revoke('select'));
      assert.match(await readiness(), /^503 .*"not ready".*lacks a right/);
    });
  });
}
