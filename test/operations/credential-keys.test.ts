import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createCredentialVault } from '../../src/apps/credential-vault.ts';
import { readSecretKey } from '../../src/config/credential-settings.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { createCli } from '../cli/cli-fixture.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';

function newKey() {
  return randomBytes(32).toString('base64');
}

function vaultOf(current: string, ...previous: string[]) {
  const keyOf = (text: string) => readSecretKey(text) ?? assert.fail('no key');
  return createCredentialVault({ current: keyOf(current), previous: previous.map(keyOf) });
}

/** By the command line, as an operator does it beside the service. */
async function rotate(
  t: TestContext,
  { databaseUrl }: TestService,
  current: string,
  previous: string,
): Promise<void> {
  const cli = await createCli(t);
  const run = await cli.run(['credentials', 'rotate'], {
    DATABASE_URL: databaseUrl,
    CREDENTIALS_KEY: current,
    CREDENTIALS_KEY_PREVIOUS: previous,
  });
  assert.deepEqual([run.code, run.stderr], [0, '']);
  assert.match(run.stdout, /the credentials of 2 apps and \d provider tokens?; 0 apps/);
}

function UNREADABLE(platform: string) {
  return `vialer_middleware_credentials_unreadable{app="com.example.phone",platform="${platform}"}`;
}
function CONNECTS(origin: string) {
  return `vialer_middleware_channel_connects_total{origin="${origin}"}`;
}

async function startScene(t: TestContext, settings: Readonly<Record<string, string>>) {
  const service = await startTestService(t, {
    settings: { ...settings, APPS_REFRESH_INTERVAL: '100' },
  });
  const phones = [await service.phone({ kind: 'ios' }), await service.phone({ kind: 'android' })];
  const assertRings = async (): Promise<void> => {
    for (const { account } of phones) {
      const { body, outcome } = await service.ask({ account });
      assert.deepEqual([body, outcome], ['status=ACK', 'ready']);
    }
  };
  const connects = async () => [
    await service.metric(CONNECTS(service.world.settings.APNS_URL)),
    await service.metric(CONNECTS(service.world.settings.FCM_URL)),
  ];
  const errors = () => service.logged.filter(({ level }) => level === 'error');
  return { service, phones, assertRings, connects, errors };
}

describe('keys for credentials under a running service', () => {
  it('a rotation to a key that the service has is not noticed: no connection is made anew, no token of Apple either', async (t) => {
    const [first, second] = [newKey(), newKey()];
    const { service, assertRings, connects, errors } = await startScene(t, {
      CREDENTIALS_KEY: first,
      CREDENTIALS_KEY_PREVIOUS: second,
    });
    const warned = service.logged.filter(({ message }) =>
      /2 apps' credentials are stored unencrypted/.test(message),
    );
    assert.equal(warned.length, 1);
    await assertRings();
    const before = await connects();
    assert.ok(before.every((count) => count > 0));
    // A busy machine may not share the first token in time; from here on nothing may be made or complained of.
    const minted = () =>
      service.logged.filter(({ message }) => message === 'Apple provider token made').length;
    const told = { minted: minted(), errors: errors().length };
    assert.ok(told.minted > 0);
    for (const [current, previous] of [
      [second, first],
      [first, second],
    ] as const) {
      await rotate(t, service, current, previous);
      await service.running.refreshApps();
      await assertRings();
    }
    assert.deepEqual(await connects(), before);
    assert.equal(await service.metric(UNREADABLE('apns')), 0);
    assert.deepEqual({ minted: minted(), errors: errors().length }, told);
    const written = JSON.stringify(service.logged);
    for (const key of [first, second]) assert.ok(!written.includes(key.slice(0, 12)));
  });

  it('a rotation to a key that the service lacks costs no call: it goes on with what it read last, says so, and heals', async (t) => {
    const [first, second] = [newKey(), newKey()];
    const { service, assertRings, connects, errors } = await startScene(t, { CREDENTIALS_KEY: first });
    await assertRings();
    const before = await connects();
    await rotate(t, service, second, first);
    await service.running.refreshApps();
    await assertRings();
    assert.deepEqual(await connects(), before);
    for (const platform of ['apns', 'android']) {
      assert.equal(await service.metric(UNREADABLE(platform)), 1);
      const line = errors().find(({ fields }) => fields['platform'] === platform);
      assert.match(
        line?.message ?? '',
        /cannot be read: its phones are woken with the one that was read last/,
      );
      assert.equal(line?.fields['keyId'], vaultOf(second).sealsWith);
      assert.equal(line?.fields['configured'], vaultOf(first).sealsWith);
    }
    await rotate(t, service, first, second);
    await service.running.refreshApps();
    assert.equal(await service.metric(UNREADABLE('apns')), 0);
    await assertRings();
    assert.deepEqual(await connects(), before);
  });

  it('an app that only others can read is told, and is taken up once it can be read', async (t) => {
    const [first, second] = [newKey(), newKey()];
    const { service, errors } = await startScene(t, { CREDENTIALS_KEY: first });
    const database = await openDatabase(service.databaseUrl);
    t.after(() => database.close());
    const known = await createAppStore(database, vaultOf(first)).find('android', 'com.example.phone');
    assert.ok(known);
    const save = (key: string) =>
      createAppStore(database, vaultOf(key)).save({ ...known, appId: 'com.example.new' }, Date.now());
    await save(second);
    await service.running.refreshApps();
    const line = errors().find(({ message }) => message.startsWith('the stored credential'));
    assert.match(line?.message ?? '', /cannot be read: its phones cannot be woken/);
    assert.equal(line?.fields['app'], 'com.example.new');
    await save(first);
    const phone: TestPhone = await service.phone({ kind: 'android', app: 'com.example.new' });
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  });
});
