import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';
import type { App, AppCredential } from './app.ts';
import { countAppChange, readAppChanges } from './app-changes.ts';
import { appOfRow, readAppRow, selectApps } from './app-row.ts';
import { type AppsReading, appsReading } from './apps-reading.ts';
import { encodeCredential } from './credential-codec.ts';
import type { CredentialVault } from './credential-vault.ts';
import type { Platform } from './platform.ts';

/** How removing an app ended; `devices` is how many of its devices went with it, or kept it. */
type RemoveAppResult =
  | { readonly kind: 'removed'; readonly devices: number }
  | { readonly kind: 'in-use'; readonly devices: number }
  | { readonly kind: 'unknown' };

/**
 * The apps. Every method rejects with `StorageUnavailable` when the database cannot answer; a change that has resolved
 * is on disk. App ids are compared exactly, case included.
 */
export interface AppStore {
  /** Every app, by platform and app id; rejects with `CredentialUnreadable` when a credential cannot be read. */
  list(): Promise<readonly App[]>;
  /** Like `list`, with those whose credential cannot be read told apart. */
  read(): Promise<AppsReading>;
  /** Rejects with `CredentialUnreadable` when the credential cannot be read. */
  find(platform: Platform, appId: string): Promise<App | undefined>;
  /** Adds the app, or changes its credential: then it keeps its key and its devices. `now` in epoch ms. */
  save(
    app: { readonly platform: Platform; readonly appId: string; readonly credential: AppCredential },
    now: number,
  ): Promise<{ readonly kind: 'created' | 'updated'; readonly app: App }>;
  /** Removes the app; one that has devices only with `force`, and then its devices as well. */
  remove(platform: Platform, appId: string, options?: { readonly force?: boolean }): Promise<RemoveAppResult>;
  /**
   * A number that moves with every change of any app or of how its credential is encrypted, by any process: one read by
   * primary key.
   */
  revision(): Promise<number>;
}

function appWith(kysely: Kysely<Tables>, platform: Platform, appId: string) {
  return selectApps(kysely).where('platform', '=', platform).where('app_id', '=', appId);
}

function saveApp(database: Database, vault: CredentialVault): AppStore['save'] {
  return ({ platform, appId, credential }, now) =>
    transact(database, async (transaction) => {
      const change = {
        credential: encodeCredential(vault, { platform, appId }, credential),
        revision: await countAppChange(transaction),
        updated_at: now,
      };
      const known = await appWith(transaction, platform, appId).executeTakeFirst();
      if (known === undefined) {
        const values = { platform, app_id: appId, created_at: now, ...change };
        await transaction.insertInto('apps').values(values).execute();
      } else {
        await transaction.updateTable('apps').set(change).where('id', '=', known.id).execute();
      }
      const row = await appWith(transaction, platform, appId).executeTakeFirstOrThrow();
      return { kind: known === undefined ? 'created' : 'updated', app: appOfRow(vault, row) };
    });
}

async function countDevices(transaction: Transaction<Tables>, appKey: number): Promise<number> {
  const counted = await transaction
    .selectFrom('devices')
    .select(({ fn }) => fn.countAll<number>().as('devices'))
    .where('app_key', '=', appKey)
    .executeTakeFirstOrThrow();
  return counted.devices;
}

function removeApp(database: Database): AppStore['remove'] {
  return (platform, appId, { force = false } = {}) =>
    transact(database, async (transaction) => {
      const known = await appWith(transaction, platform, appId).executeTakeFirst();
      if (known === undefined) return { kind: 'unknown' };
      const devices = await countDevices(transaction, known.id);
      if (devices > 0 && !force) return { kind: 'in-use', devices };
      await countAppChange(transaction);
      // Without `force`, a device that registers meanwhile is kept: its reference to the app makes this a lost race.
      if (force) await transaction.deleteFrom('devices').where('app_key', '=', known.id).execute();
      await transaction.deleteFrom('apps').where('id', '=', known.id).execute();
      return { kind: 'removed', devices };
    });
}

/** The apps of a migrated database; the vault encrypts and decrypts their credentials. */
export function createAppStore(database: Database, vault: CredentialVault): AppStore {
  const { kysely } = database;
  const read = () =>
    storageCall(database, async () => {
      const rows = await selectApps(kysely).orderBy('platform').orderBy('app_id').execute();
      return appsReading(rows.map((row) => readAppRow(vault, row)));
    });
  return {
    list: async () => {
      const { apps, unreadable } = await read();
      for (const { error } of unreadable) throw error;
      return apps;
    },
    read,
    find: (platform, appId) =>
      storageCall(database, async () => {
        const row = await appWith(kysely, platform, appId).executeTakeFirst();
        return row === undefined ? undefined : appOfRow(vault, row);
      }),
    save: saveApp(database, vault),
    remove: removeApp(database),
    revision: readAppChanges(database),
  };
}
