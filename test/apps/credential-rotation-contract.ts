import assert from 'node:assert/strict';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { credentialStatus } from '../../src/apps/credential-status.ts';
import { sealedWith } from '../../src/apps/credential-vault.ts';
import { createProviderTokenStore } from '../../src/apps/provider-token-store.ts';
import { rotateCredentials } from '../../src/apps/rotate-credentials.ts';
import { newVaultKey, vaultOf } from '../helpers/new-vault.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import type { OpenStore, StoreOpener } from '../storage/store-openers.ts';

function credentialOf(name: string) {
  return {
    kind: 'apns-certificate',
    certificate: `cert 🔑 ${name}\n`.repeat(4_000),
    privateKey: name,
  } as const;
}
function appOf(name: string) {
  return { platform: 'apns', appId: name, credential: credentialOf(name) } as const;
}
const NAMES = ['a', 'b', 'c', 'd', 'e'];
const FIRST = newVaultKey();
const SECOND = newVaultKey();

/** What every database must do for encrypted credentials. */
export function credentialRotationContract(opener: StoreOpener): void {
  describe(`encrypted credentials on ${opener.name}`, () => {
    let store: OpenStore;
    beforeEach(async () => {
      store = await opener.open();
    });
    afterEach(() => store.close());

    const saveAll = async (vault = PLAIN_VAULT): Promise<void> => {
      const apps = createAppStore(store.database, vault);
      for (const name of NAMES) await apps.save(appOf(name), 1);
    };
    const columns = async (): Promise<string[]> => {
      const rows = await store.database.kysely
        .selectFrom('apps')
        .select('credential')
        .orderBy('id')
        .execute();
      return rows.map(({ credential }) => credential);
    };
    const keysInUse = async () => [...new Set((await columns()).map(sealedWith))];

    it('a large credential is kept encrypted, and read with its key only', async () => {
      const vault = vaultOf(FIRST);
      await saveAll(vault);
      const apps = createAppStore(store.database, vault);
      assert.deepEqual((await apps.find('apns', 'a'))?.credential, credentialOf('a'));
      assert.deepEqual(
        (await apps.list()).map(({ credential }) => credential),
        NAMES.map(credentialOf),
      );
      // Of the sign and the space no Base64 is made by chance, as any four letters are.
      for (const column of await columns()) assert.doesNotMatch(column, /cert 🔑/);
      for (const other of [PLAIN_VAULT, vaultOf(SECOND)]) {
        const blind = createAppStore(store.database, other);
        const refusal = { name: 'CredentialUnreadable', message: /apns app a is encrypted with the key / };
        await assert.rejects(blind.list(), refusal);
        await assert.rejects(blind.find('apns', 'a'), refusal);
      }
    });

    it('a credential that was copied to another app is refused there; the other apps are read', async () => {
      const vault = vaultOf(FIRST);
      await saveAll(vault);
      const [first = ''] = await columns();
      const copied = { credential: first };
      await store.database.kysely.updateTable('apps').set(copied).where('app_id', '=', 'c').execute();
      const apps = createAppStore(store.database, vault);
      const reading = await apps.read();
      assert.deepEqual(
        reading.apps.map(({ appId }) => appId),
        ['a', 'b', 'd', 'e'],
      );
      assert.match(
        reading.unreadable.map(({ error }) => error.message).join(),
        /^the stored credential of the apns app c was changed after it was encrypted with the key [^,]+, or belongs to another app: /,
      );
      await apps.save(appOf('c'), 2);
      assert.deepEqual((await apps.read()).unreadable, []);
    });

    it('plain, one key, another key, plain: the same apps to running services, whose watch moves only when something was written', async () => {
      await saveAll();
      const before = await createAppStore(store.database, PLAIN_VAULT).list();
      const steps = [
        { from: vaultOf(FIRST), to: vaultOf(FIRST) },
        { from: vaultOf(SECOND, FIRST), to: vaultOf(SECOND, FIRST) },
        { from: vaultOf(undefined, SECOND), to: PLAIN_VAULT },
      ];
      for (const { from, to } of steps) {
        const apps = createAppStore(store.database, from);
        const revision = await apps.revision();
        const done = await rotateCredentials(store.database, { from, to });
        assert.deepEqual([done.rotated, done.unchanged, done.unreadable], [NAMES.length, 0, []]);
        assert.deepEqual(await keysInUse(), [to.sealsWith]);
        assert.deepEqual(await apps.list(), before);
        const after = await apps.revision();
        assert.notEqual(after, revision);
        const again = await rotateCredentials(store.database, { from, to });
        assert.deepEqual([again.rotated, again.unchanged], [0, NAMES.length]);
        assert.equal(await apps.revision(), after);
      }
    });

    it('a rotation that is interrupted leaves every app readable, and the next one completes it', async () => {
      await saveAll(vaultOf(FIRST));
      const vault = vaultOf(SECOND, FIRST);
      let sealed = 0;
      const breaking = {
        ...vault,
        seal: (...args: Parameters<typeof vault.seal>) => {
          sealed += 1;
          if (sealed > 2) throw new Error('the power went out');
          return vault.seal(...args);
        },
      };
      await assert.rejects(rotateCredentials(store.database, { from: vault, to: breaking }), /power/);
      const apps = createAppStore(store.database, vault);
      assert.equal((await keysInUse()).length, 2);
      assert.equal((await apps.list()).length, NAMES.length);
      const done = await rotateCredentials(store.database, { from: vault, to: vault });
      assert.deepEqual([done.rotated, done.unchanged], [NAMES.length - 2, 2]);
      assert.deepEqual(await keysInUse(), [vault.sealsWith]);
    });

    it('what is changed or removed during a rotation stays changed or removed', async () => {
      await saveAll(vaultOf(FIRST));
      const vault = vaultOf(SECOND, FIRST);
      const apps = createAppStore(store.database, vaultOf(FIRST, SECOND));
      const changes: Promise<unknown>[] = [];
      const disturbed = {
        ...vault,
        seal: (text: string, place: readonly string[]) => {
          const [, , appId = ''] = place;
          if (appId === 'b' && changes.length === 0) {
            changes.push(apps.save({ ...appOf('b'), credential: credentialOf('new') }, 2));
          }
          if (appId === 'c') changes.push(apps.remove('apns', 'c'));
          return vault.seal(text, place);
        },
      };
      await rotateCredentials(store.database, { from: vault, to: disturbed });
      assert.equal((await Promise.all(changes)).length >= 2, true);
      const found = new Map((await apps.list()).map(({ appId, credential }) => [appId, credential]));
      assert.deepEqual([...found.keys()], ['a', 'b', 'd', 'e']);
      assert.deepEqual(found.get('b'), credentialOf('new'));
      assert.deepEqual(found.get('a'), credentialOf('a'));
    });

    it('several rotations at once end as one does', async () => {
      await saveAll();
      const vault = vaultOf(FIRST);
      const rotations = await Promise.all(
        Array.from({ length: 4 }, () => rotateCredentials(store.database, { from: vault, to: vault })),
      );
      assert.equal(
        rotations.reduce((sum, { rotated }) => sum + rotated, 0),
        NAMES.length,
      );
      assert.deepEqual(
        (await createAppStore(store.database, vault).list()).map(({ credential }) => credential),
        NAMES.map(credentialOf),
      );
    });

    it('what cannot be read is left as it is, told, and does not keep the rest', async () => {
      const lost = vaultOf(newVaultKey());
      await saveAll();
      await createAppStore(store.database, lost).save(appOf('c'), 2);
      const vault = vaultOf(FIRST);
      const done = await rotateCredentials(store.database, { from: vault, to: vault });
      assert.equal(done.rotated, NAMES.length - 1);
      assert.deepEqual(
        done.unreadable.map(({ owner, problem }) => [owner.appId, problem.kind]),
        [['c', 'key-missing']],
      );
      assert.deepEqual(
        (await createAppStore(store.database, lost).find('apns', 'c'))?.credential,
        credentialOf('c'),
      );
      const status = await credentialStatus(store.database, vault);
      assert.deepEqual(status.keys, [
        { keyId: vault.sealsWith, apps: NAMES.length - 1, providerTokens: 0 },
        { keyId: lost.sealsWith, apps: 1, providerTokens: 0 },
        { keyId: undefined, apps: 0, providerTokens: 0 },
      ]);
      assert.equal(status.unreadable.length, 1);
    });

    it('provider tokens are rotated as well, and the same token is found afterwards', async () => {
      const token = { jwt: 'jwt', mintedAt: Date.now() };
      const vault = vaultOf(SECOND, FIRST);
      await createProviderTokenStore(store.database, PLAIN_VAULT).replace('plain', token, undefined);
      await createProviderTokenStore(store.database, vaultOf(FIRST)).replace('first', token, undefined);
      await createProviderTokenStore(store.database, vaultOf(newVaultKey())).replace(
        'lost',
        token,
        undefined,
      );
      const done = await rotateCredentials(store.database, { from: vault, to: vault });
      assert.deepEqual([done.tokensRotated, done.tokensLeft], [2, 1]);
      const rotated = createProviderTokenStore(store.database, vaultOf(SECOND));
      assert.deepEqual(await rotated.load('plain'), token);
      assert.deepEqual(await rotated.load('first'), token);
    });
  });
}
