import type { Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';
import type { CredentialVault } from './credential-vault.ts';
import { ProviderTokenUnreadable } from './provider-token-unreadable.ts';
import type { Place } from './sealed-box.ts';

/** A token that proves to Apple that a push comes from the owner of a key. */
export interface ProviderToken {
  readonly jwt: string;
  /** Milliseconds since the epoch. */
  readonly mintedAt: number;
}

/**
 * The provider tokens that all processes share. Every method rejects with `StorageUnavailable`, and with
 * `ProviderTokenUnreadable` while there is one that others may use and this process has not the key to read.
 */
export interface ProviderTokenStore {
  load(credentialId: string): Promise<ProviderToken | undefined>;
  /** Keeps `next` if `previous` is still what is kept; resolves with what is kept then. */
  replace(
    credentialId: string,
    next: ProviderToken,
    previous: ProviderToken | undefined,
  ): Promise<ProviderToken>;
}

/** Rows of keys that are gone are removed after a day. */
const FORGET_AFTER_MS = 86_400_000;
/**
 * Apple refuses a token after an hour: https://developer.apple.com/documentation/usernotifications/establishing-a-token-based-connection-to-apns
 */
const USABLE_MS = 3_600_000;

interface Kept {
  readonly column: string;
  /** Undefined: nobody can use it any more. */
  readonly token: ProviderToken | undefined;
}

/**
 * What is kept at `now`. A token that is encrypted with a key that we have not is as good as none only when it is too
 * old for anybody: else another one of ours would make Apple count two (429 TooManyProviderTokenUpdates), and taking
 * its place would hide it from those who can read it. One that was changed is good for nobody.
 */
async function find(
  kysely: Database['kysely'] | Transaction<Tables>,
  vault: CredentialVault,
  credentialId: string,
  now: number,
): Promise<Kept | undefined> {
  const row = await kysely
    .selectFrom('provider_tokens')
    .select(['jwt', 'minted_at'])
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  if (row === undefined) return undefined;
  const opened = vault.open(row.jwt, tokenPlace(credentialId));
  switch (opened.kind) {
    case 'opened':
      return { column: row.jwt, token: { jwt: opened.text, mintedAt: row.minted_at } };
    case 'key-missing':
      if (now - row.minted_at < USABLE_MS) throw new ProviderTokenUnreadable(opened);
      return { column: row.jwt, token: undefined };
    case 'damaged':
      return { column: row.jwt, token: undefined };
    default:
      return opened satisfies never;
  }
}

/** The provider tokens of a migrated database; the vault encrypts and decrypts them. `now` in milliseconds since the epoch. */
export function createProviderTokenStore(
  database: Database,
  vault: CredentialVault,
  now: () => number = Date.now,
): ProviderTokenStore {
  return {
    load: (credentialId) =>
      storageCall(database, async () => (await find(database.kysely, vault, credentialId, now()))?.token),
    replace: (credentialId, next, previous) =>
      transact(database, async (transaction) => {
        const forget = transaction
          .deleteFrom('provider_tokens')
          .where('minted_at', '<', next.mintedAt - FORGET_AFTER_MS);
        await forget.where('credential_id', '!=', credentialId).execute();
        const kept = await find(transaction, vault, credentialId, now());
        const row = { jwt: vault.seal(next.jwt, tokenPlace(credentialId)), minted_at: next.mintedAt };
        if (kept === undefined) {
          await transaction
            .insertInto('provider_tokens')
            .values({ credential_id: credentialId, ...row })
            .execute();
        } else if (kept.token?.jwt === previous?.jwt) {
          // Whoever was faster has another column by now, and stays: also the same token is encrypted anew each time.
          await transaction
            .updateTable('provider_tokens')
            .set(row)
            .where('credential_id', '=', credentialId)
            .where('jwt', '=', kept.column)
            .execute();
        }
        return (await find(transaction, vault, credentialId, now()))?.token ?? next;
      }),
  };
}

/** The place of a key's provider token, for the vault. */
export function tokenPlace(credentialId: string): Place {
  return ['provider_tokens.jwt', credentialId];
}
