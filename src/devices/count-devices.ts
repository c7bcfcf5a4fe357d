import type { Database } from '../storage/database.ts';
import { storageCall } from '../storage/storage-call.ts';

/**
 * How many devices each app has, by app key; apps without any are left out. Walks the whole index of devices by app:
 * for an operator's list, not for a call. Rejects with `StorageUnavailable`.
 */
export function countDevices(database: Database): Promise<ReadonlyMap<number, number>> {
  return storageCall(database, async () => {
    const rows = await database.kysely
      .selectFrom('devices')
      .select(['app_key', ({ fn }) => fn.countAll<number>().as('devices')])
      .groupBy('app_key')
      .execute();
    return new Map(rows.map((row) => [row.app_key, row.devices]));
  });
}
