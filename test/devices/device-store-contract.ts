import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type AppStore, createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore, type DeviceStore, MAX_DEVICE_PAGE } from '../../src/devices/device-store.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import type { OpenStore, StoreOpener } from '../storage/store-openers.ts';

const ACCOUNT = 123456789;
const NOW = 1_795_000_000_123;
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
const IOS = { platform: 'apns', appId: 'com.example.app' } as const;
const ANDROID = { platform: 'android', appId: 'com.example.app' } as const;
const BARE = { account: ACCOUNT, ...IOS, token: 'aBc' } as const;
const FULL = {
  ...BARE,
  sandbox: true,
  name: '📞 Zoë’s 手机 🧑‍🚀',
  osVersion: 'iOS 13.6',
  clientVersion: '6.0.0 (1)',
  remoteLoggingId: 'log-1',
  pushProfile: 'once',
  remoteNotificationToken: 'ff00',
} as const;
const NOTHING_ELSE = {
  sandbox: null,
  name: null,
  osVersion: null,
  clientVersion: null,
  remoteLoggingId: null,
  pushProfile: null,
  remoteNotificationToken: null,
};

/** What every database behind the device store must do. */
export function deviceStoreContract(opener: StoreOpener): void {
  describe(`devices on ${opener.name}`, () => {
    let store: OpenStore;
    let devices: DeviceStore;
    let apps: AppStore;
    let iosKey: number;
    beforeEach(async () => {
      store = await opener.open();
      devices = createDeviceStore(store.database);
      apps = createAppStore(store.database, PLAIN_VAULT);
      iosKey = (await apps.save({ ...IOS, credential: CREDENTIAL }, NOW)).app.key;
      await apps.save({ ...ANDROID, credential: CREDENTIAL }, NOW);
    });
    afterEach(() => store.close());

    it('a first registration is found again as it was given, 4-byte characters included', async () => {
      const device = { ...FULL, appKey: iosKey, registeredAt: NOW, lastSeenAt: NOW };
      assert.deepEqual(await devices.register(FULL, NOW), { kind: 'created', device });
      assert.deepEqual(await devices.find(ACCOUNT), device);
      assert.equal(await devices.exists(ACCOUNT), true);
    });

    it('what a call reads of a device is what all of it says', async () => {
      for (const sandbox of [true, false, null]) {
        await devices.register({ ...FULL, sandbox }, NOW);
        const { name, osVersion, clientVersion, remoteLoggingId, lastSeenAt, ...target } =
          (await devices.find(ACCOUNT)) ?? assert.fail();
        assert.deepEqual(await devices.findTarget(ACCOUNT), target);
        assert.equal(target.sandbox, sandbox);
      }
      assert.equal(await devices.findTarget(ACCOUNT + 1), undefined);
    });

    it('an account without a device has none', async () => {
      await devices.register(FULL, NOW);
      assert.equal(await devices.find(ACCOUNT + 1), undefined);
      assert.equal(await devices.exists(ACCOUNT + 1), false);
    });

    it('the longest values are kept whole, the largest account too', async () => {
      const long = '🧑'.repeat(255);
      const registration = { ...BARE, account: 999999999, token: 't'.repeat(250), name: long };
      await devices.register(registration, NOW);
      const found = await devices.find(999999999);
      assert.equal(found?.token, registration.token);
      assert.equal(found?.name, long);
    });

    it('a second registration replaces the first and tells what it was; what it leaves out is forgotten', async () => {
      const first = await devices.register(FULL, NOW);
      assert.ok(first.kind === 'created');
      const second = await devices.register({ ...BARE, token: 'new' }, NOW + 1);
      assert.ok(second.kind === 'updated');
      assert.deepEqual(second.previous, first.device);
      const expected = { ...BARE, ...NOTHING_ELSE, token: 'new', appKey: iosKey };
      assert.deepEqual(await devices.find(ACCOUNT), {
        ...expected,
        registeredAt: NOW + 1,
        lastSeenAt: NOW + 1,
      });
      assert.deepEqual(second.device, await devices.find(ACCOUNT));
    });

    it('sandbox no is not the same as sandbox not said', async () => {
      await devices.register({ ...BARE, sandbox: false }, NOW);
      assert.equal((await devices.find(ACCOUNT))?.sandbox, false);
    });

    it('an account moves between platforms', async () => {
      await devices.register(FULL, NOW);
      const moved = await devices.register({ ...BARE, ...ANDROID, token: 'g' }, NOW + 1);
      assert.ok(moved.kind === 'updated');
      assert.equal(moved.previous.platform, 'apns');
      const found = await devices.find(ACCOUNT);
      assert.equal(found?.platform, 'android');
      assert.notEqual(found?.appKey, iosKey);
      assert.equal((await devices.list({ limit: 10 })).length, 1);
    });

    it('an app that is not known on that platform registers nothing and changes nothing', async () => {
      await devices.register(FULL, NOW);
      const before = await devices.find(ACCOUNT);
      for (const app of [
        { platform: 'gcm' } as const,
        { appId: 'COM.example.app' },
        { appId: 'com.example.ap' },
      ]) {
        assert.deepEqual(await devices.register({ ...BARE, ...app }, NOW + 1), { kind: 'unknown-app' });
      }
      assert.deepEqual(await devices.find(ACCOUNT), before);
    });

    it('several accounts may have the same token', async () => {
      await devices.register(BARE, NOW);
      assert.equal((await devices.register({ ...BARE, account: ACCOUNT + 1 }, NOW)).kind, 'created');
      assert.equal((await devices.find(ACCOUNT))?.token, BARE.token);
    });

    it('registrations of one account at the same moment all succeed, one after the other', async () => {
      const tokens = Array.from({ length: 40 }, (_, number) => `token-${number}`);
      const results = await Promise.all(tokens.map((token) => devices.register({ ...BARE, token }, NOW)));
      assert.equal(results.filter(({ kind }) => kind === 'created').length, 1);
      const replaced = results.flatMap((result) =>
        result.kind === 'updated' ? [result.previous.token] : [],
      );
      assert.equal(replaced.length, 39);
      const last = (await devices.find(ACCOUNT))?.token ?? '';
      assert.deepEqual([...replaced, last].sort(), tokens.toSorted());
    });

    it('only the very same device unregisters', async () => {
      await devices.register(BARE, NOW);
      const device = BARE;
      const others = [
        { ...device, token: 'abc' },
        { ...device, token: 'aBc ' },
        { ...device, appId: 'com.Example.app' },
        { ...device, platform: 'android' } as const,
        { ...device, platform: 'gcm' } as const,
        { ...device, account: ACCOUNT + 1 },
      ];
      for (const other of others) assert.equal(await devices.unregister(other), false);
      assert.equal(await devices.exists(ACCOUNT), true);
      assert.equal(await devices.unregister(device), true);
      assert.equal(await devices.exists(ACCOUNT), false);
      assert.equal(await devices.unregister(device), false);
    });

    it('a dead token is dropped unless it was replaced or registered later than it died', async () => {
      await devices.register(BARE, NOW);
      const dead = { account: ACCOUNT, token: BARE.token, appKey: iosKey };
      const kept = [
        { ...dead, token: 'abc' },
        { ...dead, appKey: iosKey + 1 },
        { ...dead, account: ACCOUNT + 1 },
        { ...dead, registeredBefore: NOW },
        { ...dead, registeredBefore: NOW - 1 },
      ];
      for (const other of kept) assert.equal(await devices.dropToken(other), false);
      assert.equal(await devices.exists(ACCOUNT), true);
      assert.equal(await devices.dropToken({ ...dead, registeredBefore: NOW + 1 }), true);
      assert.equal(await devices.exists(ACCOUNT), false);
      await devices.register(BARE, NOW);
      assert.equal(await devices.dropToken(dead), true);
      assert.equal(await devices.exists(ACCOUNT), false);
    });

    it('the environment that a token worked in is remembered for that token alone', async () => {
      await devices.register(BARE, NOW);
      const found = { account: ACCOUNT, token: BARE.token, sandbox: true };
      assert.equal(await devices.setSandbox({ ...found, token: 'abc' }), false);
      assert.equal((await devices.find(ACCOUNT))?.sandbox, null);
      assert.equal(await devices.setSandbox(found), true);
      assert.equal((await devices.find(ACCOUNT))?.sandbox, true);
      assert.equal(await devices.setSandbox({ ...found, sandbox: false }), true);
      assert.equal((await devices.find(ACCOUNT))?.sandbox, false);
    });

    it('a check-in moves the last sign of life and nothing else', async () => {
      await devices.register(FULL, NOW);
      const before = await devices.find(ACCOUNT);
      assert.equal(await devices.checkIn(ACCOUNT, NOW + 5), true);
      // Again with the same time: nothing to change is not the same as nobody there.
      assert.equal(await devices.checkIn(ACCOUNT, NOW + 5), true);
      assert.deepEqual(await devices.find(ACCOUNT), { ...before, lastSeenAt: NOW + 5 });
      assert.equal(await devices.checkIn(ACCOUNT + 1, NOW), false);
    });

    it('the list goes page by page in the order of the accounts', async () => {
      const accounts = [500000005, 500000001, 500000003, 500000002, 500000004];
      for (const account of accounts) await devices.register({ ...BARE, account }, NOW);
      const page = async (afterAccount?: number) =>
        (await devices.list({ limit: 2, ...(afterAccount === undefined ? {} : { afterAccount }) })).map(
          ({ account }) => account,
        );
      assert.deepEqual(await page(), [500000001, 500000002]);
      assert.deepEqual(await page(500000002), [500000003, 500000004]);
      assert.deepEqual(await page(500000004), [500000005]);
      assert.deepEqual(await page(500000005), []);
      assert.deepEqual((await devices.list({ limit: 1 }))[0], await devices.find(500000001));
    });

    it('a page without a sensible bound is refused', async () => {
      for (const limit of [0, -1, 1.5, MAX_DEVICE_PAGE + 1, Number.NaN]) {
        await assert.rejects(devices.list({ limit }), RangeError);
      }
    });

    it('removing takes whatever device the account has', async () => {
      await devices.register(FULL, NOW);
      await devices.register({ ...BARE, account: ACCOUNT + 1 }, NOW);
      assert.equal(await devices.remove(ACCOUNT), true);
      assert.equal(await devices.remove(ACCOUNT), false);
      assert.equal(await devices.exists(ACCOUNT + 1), true);
    });
  });
}
