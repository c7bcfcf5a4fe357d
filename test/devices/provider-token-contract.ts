import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { createProviderTokenStore } from '../../src/devices/provider-token-store.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import type { StoreOpener } from '../storage/store-openers.ts';

const DAY_MS = 86_400_000;

/** What every database behind the provider tokens must do. */
export const providerTokenContract = (opener: StoreOpener): void => {
  describe(`provider tokens in ${opener.name}`, () => {
    const open = async (t: Pick<TestContext, 'after'>) => {
      const { database, close } = await opener.open();
      t.after(close);
      return createProviderTokenStore(database, PLAIN_VAULT);
    };

    test('what was kept first stays, until whoever knows it replaces it', async (t) => {
      const store = await open(t);
      assert.equal(await store.load('key'), undefined);
      const first = { jwt: 'first', mintedAt: 1_000_000_000_000 };
      const second = { jwt: 'second', mintedAt: 1_000_000_100_000 };
      assert.deepEqual(await store.replace('key', first, undefined), first);
      assert.deepEqual(await store.replace('key', second, undefined), first);
      assert.deepEqual(await store.replace('key', second, { jwt: 'other', mintedAt: 0 }), first);
      assert.deepEqual(await store.replace('key', second, first), second);
      assert.deepEqual(await store.load('key'), second);
      assert.equal(await store.load('KEY'), undefined);
    });

    test('tokens of keys that are gone are forgotten after a day', async (t) => {
      const store = await open(t);
      const old = { jwt: 'old', mintedAt: 1_000_000_000_000 };
      await store.replace('gone', old, undefined);
      await store.replace('key', { jwt: 'new', mintedAt: old.mintedAt + DAY_MS + 1 }, undefined);
      assert.equal(await store.load('gone'), undefined);
    });
  });
};
