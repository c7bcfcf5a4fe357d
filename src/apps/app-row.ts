import type { InferResult, Kysely } from 'kysely';
import type { Tables } from '../storage/tables.ts';
import type { App } from './app.ts';
import { decodeCredential } from './credential-codec.ts';
import { CredentialUnreadable } from './credential-unreadable.ts';
import type { CredentialVault } from './credential-vault.ts';
import { storedPlatform } from './platform.ts';

/** Apps, as `appOfRow` reads them. */
export function selectApps(kysely: Kysely<Tables>) {
  return kysely.selectFrom('apps').select(['id', 'platform', 'app_id', 'credential', 'revision']);
}

type AppRow = InferResult<ReturnType<typeof selectApps>>[number];

/** An app with the key that its credential is encrypted with, undefined for none; or why it cannot be read. */
export type ReadApp =
  | { readonly kind: 'app'; readonly app: App; readonly keyId: string | undefined }
  | { readonly kind: 'unreadable'; readonly key: number; readonly error: CredentialUnreadable };

/** What a row of `selectApps` holds. */
export function readAppRow(vault: Pick<CredentialVault, 'open'>, row: AppRow): ReadApp {
  const owner = { platform: row.platform, appId: row.app_id };
  const decoded = decodeCredential(vault, owner, row.credential);
  if (decoded.kind !== 'decoded') {
    return { kind: 'unreadable', key: row.id, error: new CredentialUnreadable(owner, decoded) };
  }
  const app = {
    key: row.id,
    platform: storedPlatform(row.platform),
    appId: row.app_id,
    credential: decoded.credential,
    revision: row.revision,
  };
  return { kind: 'app', app, keyId: decoded.keyId };
}

/** The app that a row of `selectApps` holds; throws `CredentialUnreadable`. */
export function appOfRow(vault: Pick<CredentialVault, 'open'>, row: AppRow): App {
  const read = readAppRow(vault, row);
  if (read.kind === 'unreadable') throw read.error;
  return read.app;
}
