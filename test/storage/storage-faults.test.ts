import assert from 'node:assert/strict';
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceProbe } from '../../src/devices/device-probe.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { storageCall, transact } from '../../src/storage/storage-call.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { tempFolder } from './temp-folder.ts';

const REGISTRATION = {
  account: 123456789,
  platform: 'apns',
  appId: 'com.example.app',
  token: 'secret',
} as const;
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;

async function openMigrated(path: string): Promise<Database> {
  const database = await openDatabase(`sqlite:${path}`);
  await migrate(database);
  await createAppStore(database, PLAIN_VAULT).save({ ...REGISTRATION, credential: CREDENTIAL }, 1);
  return database;
}

function unavailable(fault: string) {
  return (error: unknown) => {
    assert.ok(error instanceof StorageUnavailable);
    assert.equal(error.fault, fault);
    assert.ok(error.cause instanceof Error);
    assert.match(error.message, /^storage unavailable: [^\n]+$/);
    assert.doesNotMatch(`${error.message} ${error.cause.message}`, /secret/);
    return true;
  };
}

describe('when the database cannot do its work', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  before(async () => {
    folder = await tempFolder();
  });
  after(() => folder.remove());

  it('another program that holds the lock makes writes unavailable, not reads; later all is well', async () => {
    const path = join(folder.path, 'locked.db');
    const database = await openMigrated(path);
    const devices = createDeviceStore(database);
    const rival = new DatabaseSync(path);
    rival.exec('begin immediate');
    await assert.rejects(devices.register(REGISTRATION, 1), unavailable('busy'));
    await assert.rejects(devices.remove(1), unavailable('busy'));
    assert.equal(await devices.find(REGISTRATION.account), undefined);
    await createDeviceProbe(database).read();
    await assert.rejects(createDeviceProbe(database).change(), unavailable('busy'));
    rival.exec('rollback');
    rival.close();
    assert.equal((await devices.register(REGISTRATION, 2)).kind, 'created');
    await database.close();
  });

  it('opening and migrating wait for another program that holds the file, instead of failing', async () => {
    const path = join(folder.path, 'patient.db');
    const rival = new DatabaseSync(path);
    // Longer than one busy timeout, which stops this process and its timer as well.
    const releaseSoon = () => setTimeout(() => rival.exec('rollback'), 200);
    rival.exec('begin exclusive');
    releaseSoon();
    const database = await openDatabase(`sqlite:${path}`);
    rival.exec('begin immediate');
    releaseSoon();
    assert.notDeepEqual(await migrate(database), []);
    rival.close();
    await database.close();
  });

  it('a full disk makes writes unavailable and leaves no transaction open', async () => {
    const database = await openMigrated(join(folder.path, 'full.db'));
    const devices = createDeviceStore(database);
    const pages = await sql<{ page_count: number }>`pragma page_count`.execute(database.kysely);
    const limit = (count: number) => sql.raw(`pragma max_page_count = ${count}`).execute(database.kysely);
    await limit(pages.rows[0]?.page_count ?? 0);
    const fill = async () => {
      for (let account = 100000000; account < 100001000; account += 1) {
        await devices.register({ ...REGISTRATION, account, name: 'n'.repeat(255) }, 1);
      }
    };
    await assert.rejects(fill(), unavailable('full'));
    await limit(100000);
    assert.equal((await devices.register(REGISTRATION, 2)).kind, 'created');
    assert.equal((await devices.find(REGISTRATION.account))?.registeredAt, 2);
    await database.close();
  });

  it('a closed database is unavailable to every method', async () => {
    const database = await openMigrated(join(folder.path, 'closed.db'));
    const devices = createDeviceStore(database);
    const apps = createAppStore(database, PLAIN_VAULT);
    assert.equal(await devices.exists(1), false);
    await database.close();
    const { account, platform, appId, token } = REGISTRATION;
    const calls = [
      devices.find(account),
      devices.exists(account),
      devices.register(REGISTRATION, 1),
      devices.unregister({ account, platform, appId, token }),
      devices.dropToken({ account, token, appKey: 1 }),
      devices.setSandbox({ account, token, sandbox: true }),
      devices.checkIn(account, 1),
      devices.list({ limit: 1 }),
      devices.remove(account),
      apps.list(),
      apps.find(platform, appId),
      apps.save({ platform, appId, credential: CREDENTIAL }, 1),
      apps.remove(platform, appId),
      apps.revision(),
      createDeviceProbe(database).read(),
      createDeviceProbe(database).change(),
    ];
    for (const call of await Promise.allSettled(calls)) {
      assert.ok(call.status === 'rejected');
      unavailable('closed')(call.reason);
    }
  });

  it('a damaged file is unavailable', async () => {
    const path = join(folder.path, 'damaged.db');
    await (await openMigrated(path)).close();
    const file = await open(path, 'r+');
    const { size } = await file.stat();
    // Everything behind the first page: the schema stays readable, the tables do not.
    await file.write(Buffer.alloc(size - 4096, 0xa5), 0, size - 4096, 4096);
    await file.close();
    const database = await openDatabase(`sqlite:${path}`);
    await assert.rejects(createAppStore(database, PLAIN_VAULT).list(), unavailable('damaged'));
    await database.close();
  });

  it('a mistake in our own SQL is no outage', async () => {
    const database = await openDatabase('sqlite::memory:');
    const wrong = storageCall(database, () => sql`selec 1`.execute(database.kysely));
    await assert.rejects(wrong, (error) => !(error instanceof StorageUnavailable));
    await database.close();
  });

  it('a transaction that keeps losing against others is tried again, and not for ever', async () => {
    const database = await openMigrated(join(folder.path, 'conflict.db'));
    let tries = 0;
    const collide = (until: number) =>
      transact(database, async (transaction) => {
        tries += 1;
        if (tries >= until) return tries;
        await sql`insert into app_changes (id, revision) values (1, 0)`.execute(transaction);
        return tries;
      });
    assert.equal(await collide(3), 3);
    tries = 0;
    await assert.rejects(collide(Number.POSITIVE_INFINITY), unavailable('conflict'));
    assert.ok(tries > 3 && tries < 20);
    await database.close();
  });

  it('a transaction keeps other writers out from its first read on', async () => {
    const path = join(folder.path, 'immediate.db');
    const database = await openMigrated(path);
    const rival = new DatabaseSync(path, { timeout: 0 });
    await transact(database, async (transaction) => {
      await transaction.selectFrom('app_changes').selectAll().execute();
      assert.throws(() => rival.exec('update app_changes set revision = 100'), /locked/);
      await transaction.updateTable('app_changes').set({ revision: 7 }).execute();
    });
    assert.equal(await createAppStore(database, PLAIN_VAULT).revision(), 7);
    rival.close();
    await database.close();
  });
});
