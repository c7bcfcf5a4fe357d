import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createCredentialVault } from '../../src/apps/credential-vault.ts';
import { createProviderTokenStore } from '../../src/apps/provider-token-store.ts';
import { readSecretKey } from '../../src/config/credential-settings.ts';
import { credentialId } from '../../src/push/credential-id.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { type Cli, type CliRun, createCli } from './cli-fixture.ts';
import { appleKey, serviceAccount } from './test-credentials.ts';

function newKey() {
  return randomBytes(32).toString('base64');
}
const ID = /[0-9a-f]{4}\.[0-9a-f]{4}\.[0-9a-f]{4}/;

async function addApps(cli: Cli, settings: Readonly<Record<string, string>>): Promise<void> {
  const key = await cli.file('key.p8', appleKey());
  const account = await cli.file('account.json', serviceAccount());
  const ids = ['--apns-key-id', 'ABCDE12345', '--apns-team-id', 'FGHIJ67890'];
  const runs = [
    ['--platform', 'apns', '--app-id', 'com.example.phone', '--apns-key', key, ...ids],
    ['--platform', 'android', '--app-id', 'com.example.phone', '--fcm-service-account', account],
  ];
  for (const args of runs) {
    const run = await cli.run(['apps', 'add', ...args], settings);
    assert.deepEqual([run.code, run.stderr], [0, '']);
  }
}

async function columns({ databaseUrl }: Cli): Promise<string[]> {
  const database = await openDatabase(databaseUrl);
  try {
    const rows = await database.kysely.selectFrom('apps').select('credential').execute();
    return rows.map(({ credential }) => credential);
  } finally {
    await database.close();
  }
}

async function formats(cli: Cli): Promise<unknown[]> {
  return (await columns(cli)).map((column) => {
    const value: unknown = JSON.parse(column);
    return typeof value === 'object' && value !== null && 'format' in value ? value.format : undefined;
  });
}

function serve(cli: Cli, settings: Readonly<Record<string, string>>): Promise<CliRun> {
  return cli.run(['serve'], { PORT: '0', PROMETHEUS_PORT: '0', ...settings });
}

describe('credentials', () => {
  it('an app that is added with a key is of no use to anybody without it', async (t) => {
    const cli = await createCli(t);
    const key = newKey();
    await addApps(cli, { CREDENTIALS_KEY: key });
    assert.deepEqual(await formats(cli), ['aes-256-gcm', 'aes-256-gcm']);
    const [listed, ...refused] = await Promise.all([
      cli.run(['apps', 'list'], { CREDENTIALS_KEY: key }),
      cli.run(['apps', 'list']),
      cli.run(['apps', 'check'], { CREDENTIALS_KEY: newKey() }),
      serve(cli, {}),
      serve(cli, { CREDENTIALS_KEY: newKey() }),
    ]);
    assert.equal(listed.code, 0);
    assert.match(listed.stdout, /APNs key ABCDE12345/);
    for (const { code, stderr, all } of refused) {
      assert.equal(code, 2);
      const expected =
        /the stored credential of the android app com\.example\.phone is encrypted with the key (\S+), which is missing \((no key is configured|configured: \S+)\): set CREDENTIALS_KEY or CREDENTIALS_KEY_PREVIOUS to that key, or add the app again/;
      assert.match(stderr, expected);
      assert.match(stderr, ID);
      assert.equal(stderr.trim().split('\n').length, 1);
      assert.ok(!all.includes(key));
    }
  });

  it('plain, encrypted, under another key, plain again; each step says what it did', async (t) => {
    const cli = await createCli(t);
    const [first, second] = [newKey(), newKey()];
    await addApps(cli, {});
    assert.deepEqual(await formats(cli), ['plain', 'plain']);
    const before = await columns(cli);
    const unset = await cli.run(['credentials', 'rotate']);
    assert.deepEqual([unset.code, unset.stdout], [2, '']);
    assert.match(unset.stderr, /^CREDENTIALS_KEY is not set: make a key with "openssl rand -base64 32"/);

    const encrypted = await cli.run(['credentials', 'rotate'], { CREDENTIALS_KEY: first });
    assert.equal(encrypted.code, 0);
    assert.match(
      encrypted.stdout,
      /^Encrypted with the key \S+: the credentials of 2 apps and 0 provider tokens; 0 apps had it so already\.\n$/,
    );
    assert.deepEqual(await formats(cli), ['aes-256-gcm', 'aes-256-gcm']);

    const blind = await cli.run(['credentials', 'rotate'], { CREDENTIALS_KEY: second });
    assert.equal(blind.code, 2);
    assert.match(blind.stderr, /^Left as it is: the stored credential of the apns app .* which is missing/m);
    assert.match(blind.stderr, /^The credentials of 2 apps could not be read\.$/m);

    const file = await cli.file('old-keys', `${first}\n`);
    const both = { CREDENTIALS_KEY: second, CREDENTIALS_KEY_PREVIOUS_FILE: file };
    const rotated = await cli.run(['credentials', 'rotate'], both);
    assert.equal(rotated.code, 0);
    assert.match(rotated.stdout, /^Encrypted with the key \S+: the credentials of 2 apps/);
    assert.match(rotated.stdout, /^Nothing needs the key \S+ any more/m);
    const status = await cli.run(['credentials', 'status'], { CREDENTIALS_KEY: second });
    assert.equal(status.code, 0);
    assert.match(status.stdout, /^\S+ +current +2 +0$/m);
    assert.match(status.stdout, /^\(none\) +unencrypted +0 +0$/m);

    const decrypted = await cli.run(['credentials', 'rotate', '--decrypt'], { CREDENTIALS_KEY: second });
    assert.equal(decrypted.code, 0);
    assert.match(decrypted.stdout, /^Stored without encryption: the credentials of 2 apps/);
    assert.match(decrypted.stderr, /^Note: CREDENTIALS_KEY is still set/);
    assert.deepEqual(await columns(cli), before);
    const all = [encrypted, blind, rotated, status, decrypted].map((run) => run.all).join();
    for (const secret of [first, second]) assert.ok(!all.includes(secret));
  });

  it('a credential that was changed in the database is told apart from a key that is missing', async (t) => {
    const cli = await createCli(t);
    const settings = { CREDENTIALS_KEY: newKey() };
    await addApps(cli, settings);
    const database = await openDatabase(cli.databaseUrl);
    const [column = ''] = await columns(cli);
    const copied = { credential: column };
    await database.kysely.updateTable('apps').set(copied).where('platform', '=', 'android').execute();
    await database.close();
    const [started, listed, status] = await Promise.all([
      serve(cli, settings),
      cli.run(['apps', 'list'], settings),
      cli.run(['credentials', 'status', '--json'], settings),
    ]);
    for (const { code, stderr } of [started, listed]) {
      assert.equal(code, 1);
      assert.match(
        stderr,
        /android app com\.example\.phone was changed after it was encrypted with the key \S+, or belongs to another app: restore/,
      );
    }
    assert.equal(status.code, 1);
    const report: unknown = JSON.parse(status.stdout);
    assert.ok(typeof report === 'object' && report !== null && 'keys' in report && 'unreadable' in report);
    assert.ok(Array.isArray(report.keys) && Array.isArray(report.unreadable));
    assert.deepEqual(
      report.keys.map(({ state, apps }) => [state, apps]),
      [
        ['current', 2],
        ['unencrypted', 0],
      ],
    );
    assert.equal(report.unreadable.length, 1);
  });

  it("a command without the key of the service's provider token pushes nothing, since Apple would count two", async (t) => {
    const cli = await createCli(t);
    await addApps(cli, {});
    const key = newKey();
    const database = await openDatabase(cli.databaseUrl);
    const apple = (await createAppStore(database, PLAIN_VAULT).find('apns', 'com.example.phone'))?.credential;
    assert.ok(apple);
    const vault = createCredentialVault({ current: readSecretKey(key), previous: [] });
    const token = { jwt: 'jwt', mintedAt: Date.now() };
    await createProviderTokenStore(database, vault).replace(credentialId(apple), token, undefined);
    await database.close();
    const nowhere = { APNS_URL: 'https://127.0.0.1:1', FCM_URL: 'https://127.0.0.1:1' };
    const args = ['apps', 'check', '--platform', 'apns'];
    const [refused, asked] = await Promise.all([
      cli.run(args, nowhere),
      cli.run(args, { ...nowhere, CREDENTIALS_KEY: key }),
    ]);
    assert.deepEqual([refused.code, refused.stdout], [2, '']);
    assert.match(
      refused.stderr,
      /^Apple's provider token in the database is encrypted with the key \S+, which is missing .*\.\n$/,
    );
    assert.equal(asked.code, 1);
    assert.match(asked.stdout, /unclear/);
  });

  it('config check tells whether keys are set, and nothing of them', async (t) => {
    const cli = await createCli(t);
    const [key, previous] = [newKey(), newKey()];
    const settings = { CREDENTIALS_KEY: key, CREDENTIALS_KEY_PREVIOUS: previous };
    const [text, json, wrong] = await Promise.all([
      cli.run(['config', 'check'], settings),
      cli.run(['config', 'check', '--json'], settings),
      cli.run(['config', 'check'], { CREDENTIALS_KEY: `${key}x`, CREDENTIALS_KEY_PREVIOUS: `${previous}x` }),
    ]);
    assert.match(text.stdout, /^CREDENTIALS_KEY +\(hidden\) +environment$/m);
    assert.match(text.stdout, /^CREDENTIALS_KEY_PREVIOUS +\(hidden\) +environment$/m);
    assert.deepEqual([text.code, json.code, wrong.code], [0, 0, 2]);
    for (const { all } of [text, json, wrong]) {
      assert.ok(!all.includes(key.slice(0, 12)) && !all.includes(previous.slice(0, 12)));
    }
  });
});
