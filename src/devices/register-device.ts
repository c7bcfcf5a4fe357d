import type { Transaction } from 'kysely';
import type { Platform } from '../apps/platform.ts';
import type { Database } from '../storage/database.ts';
import { transact } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';
import type { Device } from './device.ts';
import { deviceOfRow, selectDevices } from './device-row.ts';

/** What an app says of itself when it registers. What it leaves out is forgotten, not kept from last time. */
export interface DeviceRegistration {
  readonly account: number;
  readonly platform: Platform;
  readonly appId: string;
  readonly token: string;
  readonly sandbox?: boolean | null;
  readonly name?: string | null;
  readonly osVersion?: string | null;
  readonly clientVersion?: string | null;
  readonly remoteLoggingId?: string | null;
  readonly pushProfile?: string | null;
  readonly remoteNotificationToken?: string | null;
}

/** How a registration ended; `previous` is what the account's device was until now. */
export type RegisterResult =
  | { readonly kind: 'created'; readonly device: Device }
  | { readonly kind: 'updated'; readonly device: Device; readonly previous: Device }
  | { readonly kind: 'unknown-app' };

function numberOf(truth: boolean | null): number | null {
  return truth === null ? null : Number(truth);
}

/**
 * Waits until no other transaction is changing the account's row, where the database needs to be told to, and keeps
 * others from changing it; false where there is no row that could be kept.
 */
async function lockRow(
  transaction: Transaction<Tables>,
  { rowLocks }: Database['dialect'],
  account: number,
): Promise<boolean> {
  if (!rowLocks) return true;
  const rows = await transaction
    .selectFrom('devices')
    .select('account')
    .where('account', '=', account)
    .forUpdate()
    .execute();
  return rows.length > 0;
}

async function writeRow(
  transaction: Transaction<Tables>,
  device: Device,
  kind: 'created' | 'updated',
): Promise<void> {
  const columns = {
    app_key: device.appKey,
    token: device.token,
    sandbox: numberOf(device.sandbox),
    name: device.name,
    os_version: device.osVersion,
    client_version: device.clientVersion,
    remote_logging_id: device.remoteLoggingId,
    push_profile: device.pushProfile,
    remote_notification_token: device.remoteNotificationToken,
    registered_at: device.registeredAt,
    last_seen_at: device.lastSeenAt,
  };
  const { account } = device;
  if (kind === 'created')
    await transaction
      .insertInto('devices')
      .values({ account, ...columns })
      .execute();
  else await transaction.updateTable('devices').set(columns).where('account', '=', account).execute();
}

function deviceOf(registration: DeviceRegistration, appKey: number, now: number): Device {
  return {
    account: registration.account,
    appKey,
    platform: registration.platform,
    appId: registration.appId,
    token: registration.token,
    sandbox: registration.sandbox ?? null,
    name: registration.name ?? null,
    osVersion: registration.osVersion ?? null,
    clientVersion: registration.clientVersion ?? null,
    remoteLoggingId: registration.remoteLoggingId ?? null,
    pushProfile: registration.pushProfile ?? null,
    remoteNotificationToken: registration.remoteNotificationToken ?? null,
    registeredAt: now,
    lastSeenAt: now,
  };
}

/**
 * Makes the phone the account's only device, whatever it had before, at `now` (epoch ms). Resolved means on disk.
 * Rejects with `StorageUnavailable`.
 */
export function registerDevice(
  database: Pick<Database, 'kysely' | 'dialect' | 'writes'>,
  registration: DeviceRegistration,
  now: number,
): Promise<RegisterResult> {
  return transact(database, async (transaction) => {
    const { account, platform, appId } = registration;
    const locked = await lockRow(transaction, database.dialect, account);
    const app = await transaction
      .selectFrom('apps')
      .select('id')
      .where('platform', '=', platform)
      .where('app_id', '=', appId)
      .executeTakeFirst();
    if (app === undefined) return { kind: 'unknown-app' };
    const readRow = () => selectDevices(transaction).where('account', '=', account).executeTakeFirst();
    let row = await readRow();
    if (row !== undefined && !locked) {
      // Another first registration was quicker; a row that is not locked may be replaced before we do.
      await lockRow(transaction, database.dialect, account);
      row = await readRow();
    }
    const device = deviceOf(registration, app.id, now);
    await writeRow(transaction, device, row === undefined ? 'created' : 'updated');
    return row === undefined
      ? { kind: 'created', device }
      : { kind: 'updated', device, previous: deviceOfRow(row) };
  });
}
