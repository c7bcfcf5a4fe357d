import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { transact } from '../../src/storage/storage-call.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { tempFolder } from './temp-folder.ts';

const APP = { platform: 'apns', appId: 'com.example.app' } as const;
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
const account = 123456789;

it('a call does not wait for a registration that is under way, and sees nothing of one that is undone', async (t) => {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const database = await openDatabase(`sqlite:${join(folder.path, 'test.db')}`);
  t.after(() => database.close());
  await migrate(database);
  await createAppStore(database, PLAIN_VAULT).save({ ...APP, credential: CREDENTIAL }, 1);
  const devices = createDeviceStore(database);
  await devices.register({ account, ...APP, token: 'before' }, 1);
  const tokenNow = async () => (await devices.find(account))?.token;

  const undone = transact(database, async (transaction) => {
    await transaction.updateTable('devices').set({ token: 'undone' }).execute();
    assert.equal(await tokenNow(), 'before');
    throw new Error('undo it');
  });
  await assert.rejects(undone, /undo it/);
  assert.equal(await tokenNow(), 'before');

  await transact(database, async (transaction) => {
    await transaction.updateTable('devices').set({ token: 'after' }).execute();
    assert.equal(await tokenNow(), 'before');
  });
  assert.equal(await tokenNow(), 'after');
});
