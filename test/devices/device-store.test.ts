import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { it } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { runProgram } from '../storage/run-program.ts';
import { STORE_OPENERS } from '../storage/store-openers.ts';
import { tempFolder } from '../storage/temp-folder.ts';
import { deviceStoreContract } from './device-store-contract.ts';

for (const opener of STORE_OPENERS) deviceStoreContract(opener);

const REGISTERING = `
  import { openDatabase } from 'src:storage/open-database.ts';
  import { createDeviceStore } from 'src:devices/device-store.ts';
  const devices = createDeviceStore(await openDatabase(process.env.TEST_URL));
  const registration = { account: 123456789, platform: 'gcm', appId: 'com.example.app', token: 'kept' };
  const { kind } = await devices.register(registration, 1);
  process.stdout.write(kind + '\\n');
  setInterval(() => {}, 1000);`;

it('a process killed right after its answer has lost no registration', async () => {
  const folder = await tempFolder();
  const url = `sqlite:${join(folder.path, 'killed.db')}`;
  const before = await openDatabase(url);
  await migrate(before);
  const credential = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
  await createAppStore(before, PLAIN_VAULT).save(
    { platform: 'gcm', appId: 'com.example.app', credential },
    1,
  );
  await before.close();

  const program = runProgram(REGISTERING.replace('process.env.TEST_URL', JSON.stringify(url)));
  const ended = once(program.child, 'exit');
  assert.equal(await program.line(), 'created');
  program.child.kill('SIGKILL');
  assert.deepEqual(await ended, [null, 'SIGKILL']);

  const after = await openDatabase(url);
  assert.equal((await createDeviceStore(after).find(123456789))?.token, 'kept');
  await after.close();
  await folder.remove();
});
