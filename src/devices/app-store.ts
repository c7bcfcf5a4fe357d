import type { Kysely, Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { keyedQuery } from '../storage/keyed-query.ts';
import { storageCall, transact } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';
import type { App, AppCredential } from './app.ts';
import { appOfRow, selectApps } from './app-row.ts';
import { encodeCredential } from './credential-codec.ts';
import type { Platform } from './device.ts';

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
  /** Every app, by platform and app id; rejects when a credential cannot be read. */
  list(): Promise<readonly App[]>;
  find(platform: Platform, appId: string): Promise<App | undefined>;
  /** Adds the app, or changes its credential: then it keeps its key and its devices. `now` in epoch ms. */
  save(
    app: { readonly platform: Platform; readonly appId: string; readonly credential: AppCredential },
    now: number,
  ): Promise<{ readonly kind: 'created' | 'updated'; readonly app: App }>;
  /** Removes the app; one that has devices only with `force`, and then its devices as well. */
  remove(platform: Platform, appId: string, options?: { readonly force?: boolean }): Promise<RemoveAppResult>;
  /** A number that moves with every change of any app, by any process: one read by primary key. */
  revision(): Promise<number>;
}

/** The only row of `app_changes`. */
const COUNTER = 1;

const appWith = (kysely: Kysely<Tables>, platform: Platform, appId: string) =>
  selectApps(kysely).where('platform', '=', platform).where('app_id', '=', appId);

/** Counts a change and tells the new number. The row stays locked until the end, so changes of apps happen in turn. */
const countChange = async (transaction: Transaction<Tables>): Promise<number> => {
  await transaction
    .updateTable('app_changes')
    .set(({ eb }) => ({ revision: eb('revision', '+', 1) }))
    .where('id', '=', COUNTER)
    .execute();
  const row = await transaction
    .selectFrom('app_changes')
    .select('revision')
    .where('id', '=', COUNTER)
    .executeTakeFirstOrThrow();
  return row.revision;
};

const saveApp = (database: Database): AppStore['save'] => {
  return ({ platform, appId, credential }, now) =>
    transact(database, async (transaction) => {
      const change = {
        credential: encodeCredential(credential),
        revision: await countChange(transaction),
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
      return { kind: known === undefined ? 'created' : 'updated', app: appOfRow(row) };
    });
};

const countDevices = async (transaction: Transaction<Tables>, appKey: number): Promise<number> => {
  const counted = await transaction
    .selectFrom('devices')
    .select(({ fn }) => fn.countAll<number>().as('devices'))
    .where('app_key', '=', appKey)
    .executeTakeFirstOrThrow();
  return counted.devices;
};

const removeApp = (database: Database): AppStore['remove'] => {
  return (platform, appId, { force = false } = {}) =>
    transact(database, async (transaction) => {
      const known = await appWith(transaction, platform, appId).executeTakeFirst();
      if (known === undefined) return { kind: 'unknown' };
      const devices = await countDevices(transaction, known.id);
      if (devices > 0 && !force) return { kind: 'in-use', devices };
      await countChange(transaction);
      // Without `force`, a device that registers meanwhile is kept: its reference to the app makes this a lost race.
      if (force) await transaction.deleteFrom('devices').where('app_key', '=', known.id).execute();
      await transaction.deleteFrom('apps').where('id', '=', known.id).execute();
      return { kind: 'removed', devices };
    });
};

/** The apps of a migrated database. */
export const createAppStore = (database: Database): AppStore => {
  const { kysely } = database;
  const readCounter = keyedQuery(database, (id) =>
    kysely.selectFrom('app_changes').select('revision').where('id', '=', id),
  );
  return {
    list: () =>
      storageCall(database, async () => {
        const rows = await selectApps(kysely).orderBy('platform').orderBy('app_id').execute();
        return rows.map(appOfRow);
      }),
    find: (platform, appId) =>
      storageCall(database, async () => {
        const row = await appWith(kysely, platform, appId).executeTakeFirst();
        return row === undefined ? undefined : appOfRow(row);
      }),
    save: saveApp(database),
    remove: removeApp(database),
    revision: () =>
      storageCall(database, async () => {
        const [row] = await readCounter(COUNTER);
        if (row === undefined) throw new Error('the database has lost its row of app_changes');
        return row.revision;
      }),
  };
};
