import type { Kysely } from 'kysely';
import type { Platform } from '../apps/platform.ts';
import type { Database } from '../storage/database.ts';
import { keyedQuery } from '../storage/keyed-query.ts';
import { storageCall, storageChange } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';
import type { Device, PushTarget } from './device.ts';
import { deviceOfRow, selectDevices, selectTargets, targetOfRow } from './device-row.ts';
import { type DeviceRegistration, type RegisterResult, registerDevice } from './register-device.ts';

/** The largest page that `DeviceStore.list` reads. */
export const MAX_DEVICE_PAGE = 1000;

/**
 * The devices. Every method rejects with `StorageUnavailable` when the database cannot answer; a change that has
 * resolved is on disk. Tokens and app ids are compared exactly, case included. Times are milliseconds since the epoch.
 */
export interface DeviceStore {
  /** The account's device, with all that is known of it. */
  find(account: number): Promise<Device | undefined>;
  /** What it takes to wake the account's device; one read by primary key. */
  findTarget(account: number): Promise<PushTarget | undefined>;
  /** Whether the account has a device. */
  exists(account: number): Promise<boolean>;
  /** Makes the phone the account's only device; see `registerDevice`. */
  register(registration: DeviceRegistration, now: number): Promise<RegisterResult>;
  /** Removes the device if token, platform and app are all its own; false when nothing was removed. */
  unregister(device: {
    readonly account: number;
    readonly token: string;
    readonly platform: Platform;
    readonly appId: string;
  }): Promise<boolean>;
  /**
   * Removes a device whose token the provider calls dead, unless it has another token by now, or registered at or after
   * `registeredBefore`; false when nothing was removed.
   */
  dropToken(device: {
    readonly account: number;
    readonly token: string;
    readonly appKey: number;
    readonly registeredBefore?: number;
  }): Promise<boolean>;
  /** Remembers Apple's environment in which the token worked; false when the account has no device with that token. */
  setSandbox(device: {
    readonly account: number;
    readonly token: string;
    readonly sandbox: boolean;
  }): Promise<boolean>;
  /** Notes that the account's app is alive; false when the account has no device. */
  checkIn(account: number, now: number): Promise<boolean>;
  /** At most `limit` (1 to `MAX_DEVICE_PAGE`) devices of the accounts after `afterAccount`, by account. */
  list(page: { readonly afterAccount?: number; readonly limit: number }): Promise<readonly Device[]>;
  /** Removes whatever device the account has; false when it has none. */
  remove(account: number): Promise<boolean>;
}

/** The app key of the app with that platform and app id, as a subquery. */
function appKeyOf(kysely: Kysely<Tables>, platform: Platform, appId: string) {
  return kysely.selectFrom('apps').select('id').where('platform', '=', platform).where('app_id', '=', appId);
}

function readingPart(database: Database): Pick<DeviceStore, 'find' | 'findTarget' | 'exists' | 'list'> {
  const { kysely } = database;
  const findRow = keyedQuery(database, (account) => selectDevices(kysely).where('account', '=', account));
  const findTargetRow = keyedQuery(database, (account) =>
    selectTargets(kysely).where('account', '=', account),
  );
  const findAccount = keyedQuery(database, (account) =>
    kysely.selectFrom('devices').select('account').where('account', '=', account),
  );
  return {
    find: (account) =>
      storageCall(database, () =>
        findRow(account).then(([row]) => (row === undefined ? undefined : deviceOfRow(row))),
      ),
    findTarget: (account) =>
      storageCall(database, () =>
        findTargetRow(account).then(([row]) => (row === undefined ? undefined : targetOfRow(row))),
      ),
    exists: (account) => storageCall(database, async () => (await findAccount(account)).length > 0),
    list: ({ afterAccount = 0, limit }) =>
      storageCall(database, async () => {
        if (!Number.isInteger(limit) || limit < 1 || limit > MAX_DEVICE_PAGE) {
          throw new RangeError(`a page of devices has 1 to ${MAX_DEVICE_PAGE} of them`);
        }
        const page = selectDevices(kysely)
          .where('account', '>', afterAccount)
          .orderBy('account')
          .limit(limit);
        return (await page.execute()).map(deviceOfRow);
      }),
  };
}

function removingPart(database: Database): Pick<DeviceStore, 'unregister' | 'dropToken' | 'remove'> {
  const { kysely } = database;
  const deleteOf = (account: number) => kysely.deleteFrom('devices').where('account', '=', account);
  const removed = (query: ReturnType<typeof deleteOf>): Promise<boolean> =>
    storageChange(database, async () => (await query.executeTakeFirst()).numDeletedRows > 0n);
  return {
    remove: (account) => removed(deleteOf(account)),
    unregister: ({ account, token, platform, appId }) =>
      removed(
        deleteOf(account)
          .where('token', '=', token)
          .where('app_key', '=', appKeyOf(kysely, platform, appId)),
      ),
    dropToken: ({ account, token, appKey, registeredBefore }) => {
      const query = deleteOf(account).where('token', '=', token).where('app_key', '=', appKey);
      return removed(
        registeredBefore === undefined ? query : query.where('registered_at', '<', registeredBefore),
      );
    },
  };
}

function changingPart(database: Database): Pick<DeviceStore, 'register' | 'setSandbox' | 'checkIn'> {
  const { kysely } = database;
  const updateOf = (account: number) => kysely.updateTable('devices').where('account', '=', account);
  return {
    register: (registration, now) => registerDevice(database, registration, now),
    setSandbox: ({ account, token, sandbox }) =>
      storageChange(database, async () => {
        const query = updateOf(account)
          .where('token', '=', token)
          .set({ sandbox: Number(sandbox) });
        return (await query.executeTakeFirst()).numUpdatedRows > 0n;
      }),
    checkIn: (account, now) =>
      storageChange(database, async () => {
        const result = await updateOf(account).set({ last_seen_at: now }).executeTakeFirst();
        return result.numUpdatedRows > 0n;
      }),
  };
}

/** The devices of a migrated database. */
export function createDeviceStore(database: Database): DeviceStore {
  return {
    ...readingPart(database),
    ...changingPart(database),
    ...removingPart(database),
  };
}
