import type { InferResult, Kysely } from 'kysely';
import type { Tables } from '../storage/tables.ts';
import type { Device } from './device.ts';
import { storedPlatform } from './stored-platform.ts';

/** Devices, each with what its app row says of it. */
export const selectDevices = (kysely: Kysely<Tables>) =>
  kysely
    .selectFrom('devices')
    .innerJoin('apps', 'apps.id', 'devices.app_key')
    .select([
      'devices.account',
      'devices.app_key',
      'apps.platform',
      'apps.app_id',
      'devices.token',
      'devices.sandbox',
      'devices.name',
      'devices.os_version',
      'devices.client_version',
      'devices.remote_logging_id',
      'devices.push_profile',
      'devices.remote_notification_token',
      'devices.registered_at',
      'devices.last_seen_at',
    ]);

/** One row of `selectDevices`. */
type JoinedRow = InferResult<ReturnType<typeof selectDevices>>[number];

/** The device that a row of `selectDevices` holds. */
export const deviceOfRow = (row: JoinedRow): Device => ({
  account: row.account,
  appKey: row.app_key,
  platform: storedPlatform(row.platform),
  appId: row.app_id,
  token: row.token,
  sandbox: row.sandbox === null ? null : row.sandbox !== 0,
  name: row.name,
  osVersion: row.os_version,
  clientVersion: row.client_version,
  remoteLoggingId: row.remote_logging_id,
  pushProfile: row.push_profile,
  remoteNotificationToken: row.remote_notification_token,
  registeredAt: row.registered_at,
  lastSeenAt: row.last_seen_at,
});
