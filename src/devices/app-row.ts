import type { InferResult, Kysely } from 'kysely';
import type { Tables } from '../storage/tables.ts';
import type { App } from './app.ts';
import { decodeCredential } from './credential-codec.ts';
import { storedPlatform } from './stored-platform.ts';

/** An app's credential in the database is not in a form that this program can read. */
export class CredentialUnreadable extends Error {
  override readonly name = 'CredentialUnreadable';

  constructor(platform: string, appId: string) {
    super(`the stored credential of the ${platform} app ${appId} cannot be read: add the app again`);
  }
}

/** Apps, as `appOfRow` reads them. */
export const selectApps = (kysely: Kysely<Tables>) =>
  kysely.selectFrom('apps').select(['id', 'platform', 'app_id', 'credential', 'revision']);

/** The app that a row of `selectApps` holds; throws `CredentialUnreadable`. */
export const appOfRow = (row: InferResult<ReturnType<typeof selectApps>>[number]): App => {
  const credential = decodeCredential(row.credential);
  if (credential === undefined) throw new CredentialUnreadable(row.platform, row.app_id);
  return {
    key: row.id,
    platform: storedPlatform(row.platform),
    appId: row.app_id,
    credential,
    revision: row.revision,
  };
};
