import type { InferResult, Kysely } from 'kysely';
import { storedPlatform } from '../apps/platform.ts';
import type { Tables } from '../storage/tables.ts';
import type { Device, PushTarget } from './device.ts';

/** What it takes to wake devices, each with what its app row says of it. A call reads one, and each column costs it. */
export function selectTargets(kysely: Kysely<Tables>) {
  return kysely
    .selectFrom('devices')
    .innerJoin('apps', 'apps.id', 'devices.app_key')
    .select([
      'devices.account',
      'devices.app_key',
      'apps.platform',
      'apps.app_id',
      'devices.token',
      'devices.sandbox',
      'devices.push_profile',
      'devices.remote_notification_token',
      'devices.registered_at',
    ]);
}

/** Devices with all that is known of them. */
export function selectDevices(kysely: Kysely<Tables>) {
  return selectTargets(kysely).select([
    'devices.name',
    'devices.os_version',
    'devices.client_version',
    'devices.remote_logging_id',
    'devices.last_seen_at',
  ]);
}

/** The device that a row of `selectTargets` is of. */
export function targetOfRow(row: InferResult<ReturnType<typeof selectTargets>>[number]): PushTarget {
  return {
    account: row.account,
    appKey: row.app_key,
    platform: storedPlatform(row.platform),
    appId: row.app_id,
    token: row.token,
    sandbox: row.sandbox === null ? null : row.sandbox !== 0,
    pushProfile: row.push_profile,
    remoteNotificationToken: row.remote_notification_token,
    registeredAt: row.registered_at,
  };
}

/** The device that a row of `selectDevices` holds. */
export function deviceOfRow(row: InferResult<ReturnType<typeof selectDevices>>[number]): Device {
  return {
    ...targetOfRow(row),
    name: row.name,
    osVersion: row.os_version,
    clientVersion: row.client_version,
    remoteLoggingId: row.remote_logging_id,
    lastSeenAt: row.last_seen_at,
  };
}
