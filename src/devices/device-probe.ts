import type { Transaction } from 'kysely';
import type { Database } from '../storage/database.ts';
import { storageCall } from '../storage/storage-call.ts';
import type { Tables } from '../storage/tables.ts';
import { createDeviceStore } from './device-store.ts';

/** Whether the database does what calls and registrations need. Both reject with `StorageUnavailable` where it does not. */
export interface DeviceProbe {
  /** Reads what a call reads. */
  read(): Promise<void>;
  /**
   * Does what registrations do, on no row: rights, locks on tables, a server that only reads and a full disk show, while no
   * row is changed or locked and nothing goes to replicas.
   */
  change(): Promise<void>;
}

/** An account that nobody has. */
const NOBODY = -1;

async function changeNothing(transaction: Transaction<Tables>): Promise<void> {
  await transaction.updateTable('devices').set({ last_seen_at: 0 }).where('account', '=', NOBODY).execute();
  await transaction
    .insertInto('devices')
    .columns(['account', 'app_key', 'token', 'registered_at', 'last_seen_at'])
    .expression(
      transaction
        .selectFrom('devices')
        .select(['account', 'app_key', 'token', 'registered_at', 'last_seen_at'])
        .where('account', '=', NOBODY),
    )
    .execute();
  await transaction.deleteFrom('devices').where('account', '=', NOBODY).execute();
}

/** Probes a migrated database. */
export function createDeviceProbe(database: Database): DeviceProbe {
  const { findTarget } = createDeviceStore(database);
  return {
    read: async () => {
      // Asked first: reading a file that was emptied fails as well, without this reason.
      const loss = database.loss();
      if (loss !== undefined) throw loss;
      await findTarget(NOBODY);
    },
    change: async () => {
      await storageCall(database, () => database.kysely.transaction().execute(changeNothing));
      await database.proveWriting();
      // What a change had no room for shows in nothing that changes no row.
      const { failure } = database.writes;
      if (failure !== undefined) throw failure;
    },
  };
}
