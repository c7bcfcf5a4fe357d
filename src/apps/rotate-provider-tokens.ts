import type { Database } from '../storage/database.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import { tokenPlace } from './provider-token-place.ts';
import type { RotationVaults } from './rotation-vaults.ts';

/**
 * Writes every provider token anew that is not stored as `to` would, and counts those that cannot be read. A token that
 * was replaced meanwhile is left to the service that replaced it. Rejects with `StorageUnavailable`.
 */
export const rotateProviderTokens = async (
  database: Database,
  { from, to }: RotationVaults,
): Promise<{ readonly rotated: number; readonly unreadable: number }> => {
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
};
