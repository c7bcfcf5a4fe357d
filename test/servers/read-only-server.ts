import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { DatabaseKind } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { startTestService } from '../helpers/test-service.ts';

const STATEMENTS = {
  PostgreSQL: {
    onlyRead: (name: string) => `alter database ${name} set default_transaction_read_only = on`,
    write: (name: string) => `alter database ${name} reset default_transaction_read_only`,
    others:
      'select pid as id from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()',
    end: (id: number) => `select pg_terminate_backend(${id})`,
  },
  MariaDB: {
    onlyRead: () => 'set global tx_read_only = 1',
    write: () => 'set global tx_read_only = 0',
    others: 'select id from information_schema.processlist where db = database() and id <> connection_id()',
    end: (id: number) => `kill ${id}`,
  },
} as const;

/**
 * Sessions that were opened while the server only read, and stay so: as those to a primary that became a standby while
 * the address began to lead elsewhere.
 */
async function openSwitch(t: Pick<TestContext, 'after'>, url: string, kind: DatabaseKind) {
  const admin = await openDatabase(url, { poolSize: 1, timeoutMs: 10_000 });
  const { onlyRead, write, others, end } = STATEMENTS[kind];
  const name = new URL(url).pathname.slice(1);
  const run = (text: string) => sql.raw<{ id: number }>(text).execute(admin.kysely);

  t.after(async () => {
    await run(write(name));
    await admin.close();
  });
  return {
    /** New sessions only read, and all are new. */
    onlyRead: async () => {
      await run(onlyRead(name));
      for (const { id } of (await run(others)).rows) await run(end(id));
    },
    /** New sessions write; those that are there do not. */
    write: () => run(write(name)),
  };
}

/** A server that can be reached but not written: a standby, or a primary that was demoted. */
export function readOnlyServer(server: () => DatabaseServer, kind: DatabaseKind): void {
  describe('a server that only reads', () => {
    it('calls ring, registrations are 503, /readyz tells; connections to it are replaced once another one writes', async (t) => {
      const databaseUrl = await server().createDatabase();
      const service = await startTestService(t, {
        databaseUrl,
        settings: {
          APP_PUSH_ROUNDTRIP_WAIT: '15000',
          DATABASE_POOL_SIZE: '4',
          LIMIT_REGISTRATIONS: '0',
        },
      });
      const phone = await service.phone();
      const door = await openSwitch(t, databaseUrl, kind);
      const readiness = async () => {
        const answer = await fetch(`${service.url}/readyz`);
        return `${answer.status} ${await answer.text()}`;
      };
      const callAtOnce = (calls: number) =>
        Promise.all(Array.from({ length: calls }, () => service.ask({ account: phone.account })));

      await door.onlyRead();
      for (const { body, outcome } of await callAtOnce(8)) assert.equal(body, 'status=ACK', outcome);
      assert.equal((await phone.register()).status, 503);
      assert.match(await readiness(), /^200 .*"degraded".*cannot be written/);
      for (const { body, outcome } of await callAtOnce(8)) assert.equal(body, 'status=ACK', outcome);

      await door.write();
      await until(async () => {
        // A connection that is younger than a second is not replaced yet.
        const again = await Promise.all(Array.from({ length: 8 }, () => phone.register()));
        return again.every(({ status }) => status === 200);
      }, 'registrations are taken again, on every connection');
      await until(async () => /^200 .*"ready"/.test(await readiness()), 'the service is ready');
    });
  });
}
