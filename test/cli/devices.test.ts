import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { DeviceRegistration } from '../../src/devices/register-device.ts';
import { hashOf } from '../../src/telemetry/redaction.ts';
import { type Cli, createCli } from './cli-fixture.ts';
import { serviceAccount } from './test-credentials.ts';

const TOKEN = 'fcm:a-token-that-nobody-may-read';
const NAME = "Somebody\u001b[2J's phone";

function device(account: number, extra: Partial<DeviceRegistration> = {}): DeviceRegistration {
  return {
    account,
    platform: 'android',
    appId: 'com.example.phone',
    token: TOKEN,
    name: NAME,
    ...extra,
  };
}

async function cliWithDevices(t: Parameters<typeof createCli>[0]): Promise<Cli> {
  const cli = await createCli(t);
  const account = await cli.file('account.json', serviceAccount());
  const add = ['apps', 'add', '--platform', 'android', '--app-id', 'com.example.phone'];
  assert.equal((await cli.run([...add, '--fcm-service-account', account])).code, 0);
  await cli.register(device(123456787), device(123456788, { name: null }), device(123456789));
  return cli;
}

describe('devices', () => {
  it('list shows a page without tokens and, unless asked, without names', async (t) => {
    const cli = await cliWithDevices(t);
    const all = await cli.run(['devices', 'list']);
    assert.deepEqual([all.code, all.stderr], [0, '']);
    assert.match(
      all.stdout,
      new RegExp(`^123456789 +android +com\\.example\\.phone +${hashOf(TOKEN)} +2026-01-02T03:04:05Z`, 'm'),
    );
    assert.doesNotMatch(all.stdout, /There may be more/);

    const page = await cli.run(['devices', 'list', '--limit', '1', '--after', '123456787', '--show-names']);
    assert.match(page.stdout, /^123456788 /m);
    assert.doesNotMatch(page.stdout, /^12345678[79] /m);
    assert.match(page.stdout, /^There may be more: devices list --after 123456788$/m);

    const named = await cli.run(['devices', 'list', '--show-names']);
    assert.match(named.stdout, /Somebody\?\[2J's phone$/m, 'a name cannot command the terminal');
    const json = await cli.run(['devices', 'list', '--json']);
    const rows: unknown = JSON.parse(json.stdout);
    assert.ok(Array.isArray(rows));
    assert.deepEqual(
      rows.map(({ account, token, name }) => [account, token, name]),
      [
        [123456787, hashOf(TOKEN), `(${NAME.length} characters)`],
        [123456788, hashOf(TOKEN), null],
        [123456789, hashOf(TOKEN), `(${NAME.length} characters)`],
      ],
    );
    for (const { stdout } of [all, page, json]) assert.doesNotMatch(stdout, /Somebody/);
    for (const { stdout } of [all, page, named, json]) assert.ok(!stdout.includes(TOKEN));
  });

  it('show and remove are for one account, and say so where it has no device', async (t) => {
    const cli = await cliWithDevices(t);
    const shown = await cli.run(['devices', 'show', '123456789']);
    assert.equal(shown.code, 0);
    assert.match(shown.stdout, new RegExp(`^push token +${hashOf(TOKEN)}$`, 'm'));
    const json = await cli.run(['devices', 'show', '123456789', '--show-names', '--json']);
    const view: unknown = JSON.parse(json.stdout);
    assert.ok(typeof view === 'object' && view !== null && 'name' in view);
    assert.equal(view.name, NAME);
    assert.ok(!(shown.all + json.all).includes(TOKEN));

    const removed = await cli.run(['devices', 'remove', '123456789']);
    assert.deepEqual([removed.code, removed.stdout], [0, 'Removed the device of account 123456789.\n']);
    for (const command of ['show', 'remove']) {
      const missing = await cli.run(['devices', command, '123456789']);
      assert.deepEqual([missing.code, missing.stdout], [1, '']);
      assert.match(missing.stderr, /^No device is registered for account 123456789\.[^\n]*\n$/);
    }
    assert.equal((await cli.run(['devices', 'show', '123456788'])).code, 0);
  });

  it('an empty database is said to be empty', async (t) => {
    const cli = await createCli(t);
    await cli.migrate();
    assert.equal((await cli.run(['devices', 'list'])).stdout, 'No devices are registered.\n');
    assert.equal((await cli.run(['devices', 'list', '--json'])).stdout, '[]\n');
    assert.match((await cli.run(['apps', 'list'])).stdout, /^There are no apps\./);
  });
});
