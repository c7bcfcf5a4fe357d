import type { Database } from '../storage/database.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import { countAppChange } from './app-changes.ts';
import { selectApps } from './app-row.ts';
import { decodeCredential, encodeCredential } from './credential-codec.ts';
import { CredentialUnreadable } from './credential-unreadable.ts';
import type { CredentialVault } from './credential-vault.ts';
import { tokenPlace } from './provider-token-store.ts';

/** What a rotation did. */
export interface Rotation {
  /** Apps whose credential was written anew. */
  readonly rotated: number;
  /** Apps whose credential was as wanted already. */
  readonly unchanged: number;
  /** Apps that were left as they are because their credential cannot be read. */
  readonly unreadable: readonly CredentialUnreadable[];
  /** Provider tokens of Apple that were written anew. */
  readonly tokensRotated: number;
  /** Those that cannot be read; they end by themselves within a day. */
  readonly tokensLeft: number;
}

/** How often an app is looked at again that somebody else changed meanwhile. */
const MAX_TRIES = 20;

type Step = 'rotated' | 'unchanged' | 'removed' | 'changed-meanwhile' | CredentialUnreadable;

/** One app, in one transaction: an interrupted rotation leaves each app as it was or as it is wanted. */
async function rotateApp(database: Database, { from, to }: RotationVaults, key: number): Promise<Step> {
  const row = await storageCall(database, () =>
    selectApps(database.kysely).where('id', '=', key).executeTakeFirst(),
  );
  if (row === undefined) return 'removed';
  const owner = { platform: row.platform, appId: row.app_id };
  const decoded = decodeCredential(from, owner, row.credential);
  if (decoded.kind !== 'decoded') return new CredentialUnreadable(owner, decoded);
  if (decoded.keyId === to.sealsWith) return 'unchanged';
  const credential = encodeCredential(to, owner, decoded.credential);
  return transact(database, async (transaction) => {
    // The counter moves, so that running services look at the rows and tell of a key that they lack. The app's own
    // revision does not: the credential is the same, and no connection is made anew for it.
    await countAppChange(transaction);
    const { numUpdatedRows } = await transaction
      .updateTable('apps')
      .set({ credential })
      .where('id', '=', key)
      .where('revision', '=', row.revision)
      .where('credential', '=', row.credential)
      .executeTakeFirst();
    return numUpdatedRows > 0n ? 'rotated' : 'changed-meanwhile';
  });
}

async function rotateAppAtLast(
  database: Database,
  vaults: RotationVaults,
  key: number,
): Promise<Exclude<Step, 'changed-meanwhile'>> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const step = await rotateApp(database, vaults, key);
    if (step !== 'changed-meanwhile') return step;
  }
  throw new Error(
    `an app changed ${MAX_TRIES} times while its credential was being written anew: run it again`,
  );
}

/**
 * Writes every credential and provider token as `to` would that is stored in another way. One transaction for each
 * row, which is only written while it is what was read: it may run beside services and other commands, be interrupted,
 * and be repeated. `onApp` is called after each app. Rejects with `StorageUnavailable`.
 */
export async function rotateCredentials(
  database: Database,
  vaults: RotationVaults,
  onApp: (done: number, apps: number) => void = () => {},
): Promise<Rotation> {
  const keys = await storageCall(database, () =>
    database.kysely.selectFrom('apps').select('id').orderBy('id').execute(),
  );
  const steps: Exclude<Step, 'changed-meanwhile'>[] = [];
  for (const { id } of keys) {
    steps.push(await rotateAppAtLast(database, vaults, id));
    onApp(steps.length, keys.length);
  }
  const tokens = await rotateProviderTokens(database, vaults);
  return {
    rotated: steps.filter((step) => step === 'rotated').length,
    unchanged: steps.filter((step) => step === 'unchanged').length,
    unreadable: steps.filter((step) => step instanceof CredentialUnreadable),
    tokensRotated: tokens.rotated,
    tokensLeft: tokens.unreadable,
  };
}

/** Two vaults of a rotation; they are the same one unless everything is to be decrypted. */
export interface RotationVaults {
  /** Writes; what is stored as it would write it is left alone. */
  readonly to: Pick<CredentialVault, 'seal' | 'sealsWith'>;
  /** Reads everything that may be there. */
  readonly from: Pick<CredentialVault, 'open'>;
}

/**
 * Writes every provider token anew that is not stored as `to` would, and counts those that cannot be read. A token that
 * was replaced meanwhile is left to the service that replaced it. Rejects with `StorageUnavailable`.
 */
async function rotateProviderTokens(
  database: Database,
  { from, to }: RotationVaults,
): Promise<{ readonly rotated: number; readonly unreadable: number }> {
  const rows = await storageCall(database, () =>
    database.kysely.selectFrom('provider_tokens').select(['credential_id', 'jwt']).execute(),
  );
  let rotated = 0;
  let unreadable = 0;
  for (const { credential_id, jwt } of rows) {
    const opened = from.open(jwt, tokenPlace(credential_id));
    if (opened.kind !== 'opened') unreadable += 1;
    else if (opened.keyId !== to.sealsWith) {
      const sealed = to.seal(opened.text, tokenPlace(credential_id));
      const { numUpdatedRows } = await transact(database, (transaction) =>
        transaction
          .updateTable('provider_tokens')
          .set({ jwt: sealed })
          .where('credential_id', '=', credential_id)
          .where('jwt', '=', jwt)
          .executeTakeFirst(),
      );
      if (numUpdatedRows > 0n) rotated += 1;
    }
  }
  return { rotated, unreadable };
}
