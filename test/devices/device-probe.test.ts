import assert from 'node:assert/strict';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceProbe } from '../../src/devices/device-probe.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { tempFolder } from '../storage/temp-folder.ts';

const PHONE = { account: 123456789, platform: 'apns', appId: 'com.example.app', token: 'aa' } as const;
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;

it('a database is probed with what registrations need, and keeps every row as it was', async (t) => {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const path = join(folder.path, 'probe.db');
  const database = await openDatabase(`sqlite:${path}`);
  t.after(() => database.close());
  await migrate(database);
  await createAppStore(database, PLAIN_VAULT).save({ ...PHONE, credential: CREDENTIAL }, 1);
  const devices = createDeviceStore(database);
  await devices.register(PHONE, 1);
  const before = await devices.find(PHONE.account);
  const { read, change } = createDeviceProbe(database);
  await read();
  await change();
  assert.deepEqual(await devices.find(PHONE.account), before);

  const operator = new DatabaseSync(path);
  t.after(() => operator.close());
  for (const column of ['last_seen_at', 'registered_at', 'token']) {
    operator.exec(`alter table devices rename column ${column} to other`);
    await assert.rejects(change(), /no such column|has no column/, `without ${column}`);
    operator.exec(`alter table devices rename column other to ${column}`);
  }
  operator.exec('drop table devices');
  await assert.rejects(read(), /no such table/);
});
