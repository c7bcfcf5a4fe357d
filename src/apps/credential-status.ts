import type { Database } from '../storage/database.ts';
import { storageCall } from '../storage/storage-call.ts';
import { readAppRow, selectApps } from './app-row.ts';
import { appsReading } from './apps-reading.ts';
import type { CredentialUnreadable } from './credential-unreadable.ts';
import { type CredentialVault, sealedWith } from './credential-vault.ts';

/** What is stored with one key. */
export interface KeyUse {
  /** Undefined: stored as it is. */
  readonly keyId: string | undefined;
  readonly apps: number;
  readonly providerTokens: number;
}

/** How what is secret in the database is stored. */
export interface CredentialStatus {
  /** The configured keys in the vault's order, then the others by id, then what is not encrypted. */
  readonly keys: readonly KeyUse[];
  readonly unreadable: readonly CredentialUnreadable[];
}

/** Looks at every row, and reads the credentials of apps with the vault's keys. Rejects with `StorageUnavailable`. */
export function credentialStatus(database: Database, vault: CredentialVault): Promise<CredentialStatus> {
  return storageCall(database, async () => {
    const apps = await selectApps(database.kysely).orderBy('platform').orderBy('app_id').execute();
    const tokens = await database.kysely.selectFrom('provider_tokens').select('jwt').execute();
    const appKeys = apps.map(({ credential }) => sealedWith(credential));
    const tokenKeys = tokens.map(({ jwt }) => sealedWith(jwt));
    const others = [...appKeys, ...tokenKeys].filter((id) => id !== undefined).sort();
    const ids = new Set([...vault.keyIds, ...others, undefined]);
    return {
      keys: [...ids].map((keyId) => ({
        keyId,
        apps: appKeys.filter((id) => id === keyId).length,
        providerTokens: tokenKeys.filter((id) => id === keyId).length,
      })),
      unreadable: appsReading(apps.map((row) => readAppRow(vault, row))).unreadable.map(({ error }) => error),
    };
  });
}
