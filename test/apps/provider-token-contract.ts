import assert from 'node:assert/strict';
import type { KeyObject } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { CredentialVault } from '../../src/apps/credential-vault.ts';
import { createProviderTokenStore } from '../../src/apps/provider-token-store.ts';
import { newVaultKey, vaultOf } from '../helpers/new-vault.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import type { StoreOpener } from '../storage/store-openers.ts';

const DAY_MS = 86_400_000;

/** What every database behind the provider tokens must do. */
export function providerTokenContract(opener: StoreOpener): void {
  const HOUR_MS = 3_600_000;

  describe(`provider tokens in ${opener.name}`, () => {
    const open = async (t: Pick<TestContext, 'after'>) => {
      const { database, close } = await opener.open();
      t.after(close);
      return createProviderTokenStore(database, PLAIN_VAULT);
    };

    it('what was kept first stays, until whoever knows it replaces it', async (t) => {
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

    /** Two processes on one database, whose clock the test moves. */
    const openTwo = async (t: Pick<TestContext, 'after'>, key: KeyObject, other: CredentialVault) => {
      const { database, close } = await opener.open();
      t.after(close);
      let now = MINTED_AT;
      return {
        database,
        owner: createProviderTokenStore(database, vaultOf(key), () => now),
        other: createProviderTokenStore(database, other, () => now),
        pass: (ms: number) => {
          now += ms;
        },
      };
    };
    const MINTED_AT = 1_000_000_000_000;
    const first = { jwt: 'first', mintedAt: MINTED_AT };
    const second = { jwt: 'second', mintedAt: MINTED_AT + HOUR_MS };

    it('with a key a token is kept encrypted, and shared as before with whoever has the key', async (t) => {
      const key = newVaultKey();
      const { owner, other, database } = await openTwo(t, key, vaultOf(newVaultKey(), key));
      assert.deepEqual(await owner.replace('key', first, undefined), first);
      const row = await database.kysely.selectFrom('provider_tokens').select('jwt').executeTakeFirstOrThrow();
      assert.doesNotMatch(row.jwt, /first/);
      assert.deepEqual(await other.load('key'), first);
      assert.deepEqual(await other.replace('key', second, undefined), first);
      assert.deepEqual(await other.replace('key', second, first), second);
      assert.deepEqual(await other.load('key'), second);
      await assert.rejects(owner.load('key'), { name: 'ProviderTokenUnreadable' });
    });

    it('a token that was kept before there was a key is used', async (t) => {
      const { owner, other } = await openTwo(t, newVaultKey(), PLAIN_VAULT);
      await other.replace('key', first, undefined);
      assert.deepEqual(await owner.load('key'), first);
      assert.deepEqual(await owner.replace('key', second, first), second);
    });

    it('a token under a key that is missing is neither taken nor replaced while Apple takes it', async (t) => {
      const key = newVaultKey();
      const { owner, other, pass } = await openTwo(t, key, PLAIN_VAULT);
      await owner.replace('key', first, undefined);
      pass(HOUR_MS - 1);
      const refusal = {
        name: 'ProviderTokenUnreadable',
        message: /is missing \(no key is configured\): set CRED/,
      };
      await assert.rejects(other.load('key'), refusal);
      await assert.rejects(other.replace('key', second, undefined), refusal);
      assert.deepEqual(await owner.load('key'), first);
      pass(1);
      assert.equal(await other.load('key'), undefined);
      assert.deepEqual(await other.replace('key', second, undefined), second);
      assert.deepEqual(await owner.load('key'), second);
    });

    it('a token that was changed, or belongs to another key of Apple, is replaced', async (t) => {
      const { owner, database } = await openTwo(t, newVaultKey(), PLAIN_VAULT);
      await owner.replace('key', first, undefined);
      await database.kysely.updateTable('provider_tokens').set({ credential_id: 'other' }).execute();
      assert.equal(await owner.load('other'), undefined);
      assert.deepEqual(await owner.replace('other', second, undefined), second);
      assert.deepEqual(await owner.load('other'), second);
    });

    it('tokens of keys that are gone are forgotten after a day', async (t) => {
      const store = await open(t);
      const old = { jwt: 'old', mintedAt: 1_000_000_000_000 };
      await store.replace('gone', old, undefined);
      await store.replace('key', { jwt: 'new', mintedAt: old.mintedAt + DAY_MS + 1 }, undefined);
      assert.equal(await store.load('gone'), undefined);
    });
  });
}
