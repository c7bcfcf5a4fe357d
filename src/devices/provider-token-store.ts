import type { Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';

/** A token that proves to Apple that a push comes from the owner of a key. */
export interface ProviderToken {
  readonly jwt: string;
  /** Milliseconds since the epoch. */
  readonly mintedAt: number;
}

/** The provider tokens that all processes share. Every method rejects with `StorageUnavailable`. */
export interface ProviderTokenStore {
  load(credentialId: string): Promise<ProviderToken | undefined>;
  /** Keeps `next` if `previous` is still what is kept; resolves with what is kept then. */
  replace(
    credentialId: string,
    next: ProviderToken,
    previous: ProviderToken | undefined,
  ): Promise<ProviderToken>;
}

/** Apple accepts a token for an hour; rows of keys that are gone are removed after a day. */
const FORGET_AFTER_MS = 86_400_000;

const find = async (
  kysely: Database['kysely'] | Transaction<Tables>,
  credentialId: string,
): Promise<ProviderToken | undefined> => {
  const row = await kysely
    .selectFrom('provider_tokens')
    .select(['jwt', 'minted_at'])
    .where('credential_id', '=', credentialId)
    .executeTakeFirst();
  return row === undefined ? undefined : { jwt: row.jwt, mintedAt: row.minted_at };
};

/** The provider tokens of a migrated database. */
export const createProviderTokenStore = (database: Database): ProviderTokenStore => ({
  load: (credentialId) => storageCall(database, () => find(database.kysely, credentialId)),
  replace: (credentialId, next, previous) =>
    transact(database, async (transaction) => {
      const forget = transaction
        .deleteFrom('provider_tokens')
        .where('minted_at', '<', next.mintedAt - FORGET_AFTER_MS);
      await forget.where('credential_id', '!=', credentialId).execute();
      const row = { jwt: next.jwt, minted_at: next.mintedAt };
      if (previous !== undefined) {
        await transaction
          .updateTable('provider_tokens')
          .set(row)
          .where('credential_id', '=', credentialId)
          .where('jwt', '=', previous.jwt)
          .execute();
      } else if ((await find(transaction, credentialId)) === undefined) {
        await transaction
          .insertInto('provider_tokens')
          .values({ credential_id: credentialId, ...row })
          .execute();
      }
      return (await find(transaction, credentialId)) ?? next;
    }),
});
