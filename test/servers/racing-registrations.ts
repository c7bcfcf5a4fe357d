import assert from 'node:assert/strict';
import { it } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import type { DatabaseKind } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';

const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
const APP = { platform: 'apns', appId: 'com.example.app' } as const;
const ACCOUNT = 123456789;

/** Registrations that meet between the statements of another one; held up by locks of PostgreSQL's kind. */
export function racingRegistrations(server: () => DatabaseServer, kind: DatabaseKind): void {
  it('a first registration that others overtake tells which phone it replaced', {
    skip: kind === 'PostgreSQL' ? false : 'its locks are of another kind',
  }, async () => {
    const database = await openDatabase(await server().createDatabase(), { poolSize: 10, timeoutMs: 20_000 });
    await migrate(database);
    await createAppStore(database, PLAIN_VAULT).save({ ...APP, credential: CREDENTIAL }, 1);
    const devices = createDeviceStore(database);
    const { kysely } = database;
    const isHeldUpBy = async (lock: 'relation' | 'transactionid'): Promise<boolean> => {
      const waiting = sql`select 1 from pg_stat_activity where datname = current_database() and wait_event = ${lock}`;
      return (await waiting.execute(kysely)).rows.length === 1;
    };
    await devices.register({ ...APP, account: ACCOUNT + 1, token: 'first' }, 1);
    const apps = await kysely.startTransaction().execute();
    await sql`lock table apps in access exclusive mode`.execute(apps);
    const registering = devices.register({ ...APP, account: ACCOUNT, token: 'third' }, 3);
    await until(() => isHeldUpBy('relation'), 'it has found no row, and waits');
    await kysely.updateTable('devices').set({ account: ACCOUNT }).execute();
    const second = await kysely.startTransaction().execute();
    await second.updateTable('devices').set({ token: 'second' }).execute();
    await apps.commit().execute();
    await until(() => isHeldUpBy('transactionid'), 'it has found the first, and waits for the second');
    await second.commit().execute();
    const registered = await registering;
    assert.ok(registered.kind === 'updated');
    assert.equal(registered.previous.token, 'second');
    await database.close();
  });
}
