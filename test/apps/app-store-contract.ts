import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type AppStore, createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import type { OpenStore, StoreOpener } from '../storage/store-openers.ts';

const IOS = { platform: 'apns', appId: 'com.example.app' } as const;
const KEY = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
const CERTIFICATE = { kind: 'apns-certificate', certificate: 'cert 🔑\n', privateKey: 'key\n' } as const;
const ACCOUNT_OF_GOOGLE = {
  kind: 'fcm-service-account',
  projectId: 'p',
  clientEmail: 'e',
  privateKeyId: 'i',
  privateKey: 'k'.repeat(5000),
  tokenUri: 'u',
} as const;

/** What every database behind the app store must do. */
export function appStoreContract(opener: StoreOpener): void {
  describe(`apps on ${opener.name}`, () => {
    let store: OpenStore;
    let apps: AppStore;
    beforeEach(async () => {
      store = await opener.open();
      apps = createAppStore(store.database, PLAIN_VAULT);
    });
    afterEach(() => store.close());

    const moved = async (change: () => Promise<unknown>): Promise<boolean> => {
      const before = await apps.revision();
      await change();
      return (await apps.revision()) !== before;
    };

    it('a saved app is found again with its credential, whichever kind it is', async () => {
      for (const credential of [KEY, CERTIFICATE, ACCOUNT_OF_GOOGLE]) {
        const { kind, app } = await apps.save({ platform: 'gcm', appId: credential.kind, credential }, 1);
        assert.equal(kind, 'created');
        assert.deepEqual(app.credential, credential);
        assert.deepEqual(await apps.find('gcm', credential.kind), app);
      }
    });

    it('an app id is exact, and its own on each platform', async () => {
      await apps.save({ ...IOS, credential: KEY }, 1);
      assert.equal(await apps.find('apns', 'com.Example.app'), undefined);
      assert.equal(await apps.find('apns', `${IOS.appId} `), undefined);
      assert.equal(await apps.find('android', IOS.appId), undefined);
      const saved = await apps.save(
        { platform: 'apns', appId: 'com.Example.app', credential: CERTIFICATE },
        1,
      );
      assert.equal(saved.kind, 'created');
      assert.deepEqual((await apps.find('apns', IOS.appId))?.credential, KEY);
    });

    it('the list is ordered by platform and app id', async () => {
      assert.deepEqual(await apps.list(), []);
      await apps.save({ platform: 'gcm', appId: 'b', credential: KEY }, 1);
      await apps.save({ platform: 'apns', appId: 'z', credential: KEY }, 1);
      await apps.save({ platform: 'gcm', appId: 'a', credential: KEY }, 1);
      assert.deepEqual(
        (await apps.list()).map(({ platform, appId }) => `${platform} ${appId}`),
        ['apns z', 'gcm a', 'gcm b'],
      );
      assert.deepEqual((await apps.list())[0], await apps.find('apns', 'z'));
    });

    it('a new credential takes the place of the old one; the devices stay', async () => {
      const devices = createDeviceStore(store.database);
      const first = await apps.save({ ...IOS, credential: KEY }, 1);
      await devices.register({ ...IOS, account: 123456789, token: 't' }, 1);
      const second = await apps.save({ ...IOS, credential: CERTIFICATE }, 2);
      assert.equal(second.kind, 'updated');
      assert.equal(second.app.key, first.app.key);
      assert.notEqual(second.app.revision, first.app.revision);
      assert.deepEqual((await apps.find('apns', IOS.appId))?.credential, CERTIFICATE);
      assert.equal((await devices.find(123456789))?.appKey, first.app.key);
    });

    it('an app with devices is only removed by force, and then with them', async () => {
      const devices = createDeviceStore(store.database);
      await apps.save({ ...IOS, credential: KEY }, 1);
      await apps.save({ platform: 'gcm', appId: 'other', credential: KEY }, 1);
      await devices.register({ ...IOS, account: 123456781, token: 't' }, 1);
      await devices.register({ ...IOS, account: 123456782, token: 't' }, 1);
      await devices.register({ platform: 'gcm', appId: 'other', account: 123456783, token: 't' }, 1);
      assert.deepEqual(await apps.remove('apns', IOS.appId), { kind: 'in-use', devices: 2 });
      assert.ok(await devices.exists(123456781));
      assert.deepEqual(await apps.remove('apns', IOS.appId, { force: true }), {
        kind: 'removed',
        devices: 2,
      });
      assert.equal(await apps.find('apns', IOS.appId), undefined);
      assert.deepEqual(
        (await devices.list({ limit: 10 })).map(({ account }) => account),
        [123456783],
      );
    });

    it('an app without devices is removed, an unknown one is not', async () => {
      await apps.save({ ...IOS, credential: KEY }, 1);
      assert.deepEqual(await apps.remove('gcm', IOS.appId), { kind: 'unknown' });
      assert.deepEqual(await apps.remove('apns', 'COM.example.app', { force: true }), { kind: 'unknown' });
      assert.deepEqual(await apps.remove('apns', IOS.appId), { kind: 'removed', devices: 0 });
      assert.deepEqual(await apps.list(), []);
    });

    it('an app that was removed and added again is another one', async () => {
      const first = await apps.save({ ...IOS, credential: KEY }, 1);
      await apps.remove('apns', IOS.appId);
      const second = await apps.save({ ...IOS, credential: KEY }, 2);
      assert.equal(second.kind, 'created');
      assert.notEqual(second.app.key, first.app.key);
    });

    it('the revision moves with every change of an app and with nothing else', async () => {
      assert.equal(await moved(() => apps.save({ ...IOS, credential: KEY }, 1)), true);
      assert.equal(await moved(() => apps.save({ ...IOS, credential: CERTIFICATE }, 1)), true);
      const register = () =>
        createDeviceStore(store.database).register({ ...IOS, account: 123456789, token: 't' }, 1);
      assert.equal(await moved(register), false);
      assert.equal(await moved(() => apps.remove('apns', IOS.appId)), false);
      assert.equal(await moved(() => apps.list()), false);
      assert.equal(await moved(() => apps.remove('apns', IOS.appId, { force: true })), true);
    });

    it('the revision moves even where one change undoes the other', async () => {
      await apps.save({ ...IOS, credential: KEY }, 1);
      const replace = async () => {
        await apps.remove('apns', IOS.appId);
        await apps.save({ platform: 'apns', appId: 'other', credential: KEY }, 1);
      };
      assert.equal(await moved(replace), true);
    });

    it('saving one app many times at once leaves one app, and every time its own revision', async () => {
      const saves = Array.from({ length: 20 }, () => apps.save({ ...IOS, credential: KEY }, 1));
      const results = await Promise.all(saves);
      assert.equal(results.filter(({ kind }) => kind === 'created').length, 1);
      assert.equal(new Set(results.map(({ app }) => app.revision)).size, 20);
      assert.equal((await apps.list()).length, 1);
    });

    it('while phones register, an app is removed with all of its devices or not at all', async () => {
      const devices = createDeviceStore(store.database);
      for (const force of [true, false]) {
        for (let round = 0; round < 5; round += 1) {
          await apps.save({ ...IOS, credential: KEY }, 1);
          const accounts = Array.from({ length: 8 }, (_, number) => 123456780 + number);
          const register = (account: number) => devices.register({ ...IOS, account, token: 't' }, 1);
          await register(123456779);
          const registering = accounts.map(register);
          const removed = await apps.remove('apns', IOS.appId, { force });
          const registered = await Promise.all(registering);
          const kept = await devices.list({ limit: 10 });
          if (removed.kind === 'removed') {
            assert.deepEqual(kept, []);
            assert.equal(force, true);
          } else {
            assert.equal(removed.kind, 'in-use');
            assert.equal(kept.length, accounts.length + 1);
            assert.ok(registered.every(({ kind }) => kind !== 'unknown-app'));
          }
          await apps.remove('apns', IOS.appId, { force: true });
        }
      }
    });

    it('a credential that cannot be read is named, and not quoted', async () => {
      await apps.save({ ...IOS, credential: KEY }, 1);
      for (const credential of [
        'hunter2',
        '{"format":"plain","credential":{"kind":"hunter2"}}',
        '{}',
        'null',
      ]) {
        await store.database.kysely.updateTable('apps').set({ credential }).execute();
        await assert.rejects(apps.list(), (error: Error) => {
          assert.equal(error.name, 'CredentialUnreadable');
          assert.match(error.message, /apns app com\.example\.app/);
          assert.doesNotMatch(error.message, /hunter2/);
          return true;
        });
      }
    });
  });
}
