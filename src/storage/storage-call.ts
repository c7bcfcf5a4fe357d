import { setTimeout as sleep } from 'node:timers/promises';
import type { Transaction } from 'kysely';
import { monotonic } from '../lib/monotonic.ts';
import type { Database, SqlDialect } from './database.ts';
import { StorageUnavailable } from './storage-unavailable.ts';
import type { Tables } from './tables.ts';

/** How often a transaction that lost against another one is run, the first time included. */
const MAX_TRIES = 8;

function asUnavailable(dialect: Pick<SqlDialect, 'faultOf'>, error: unknown): unknown {
  const fault = error instanceof StorageUnavailable ? undefined : dialect.faultOf(error);
  return fault === undefined ? error : new StorageUnavailable(fault, { cause: error });
}

/** How long a database that takes nothing just now is tried again. */
const BUSY_PATIENCE_MS = 500;
/** The pause between two tries of a locked file, and of a server without a connection left, which each try costs one. */
const PAUSE_MS = { busy: 10, crowded: 100 } as const;

/**
 * Runs again what the database has refused without any effect. A file that is locked, and a server that has no
 * connection left, are waited for without holding up the event loop, on which calls wait for their answers: SQLite's own
 * busy timeout would. One that only reads is asked once more: where that was a server, its connection is replaced, and
 * the new one may lead to another server.
 */
async function untilTaken<T>(dialect: Pick<SqlDialect, 'faultOf'>, work: () => Promise<T>): Promise<T> {
  const giveUpAt = monotonic() + BUSY_PATIENCE_MS;
  let wasReadOnly = false;
  for (;;) {
    try {
      return await work();
    } catch (error) {
      const fault = dialect.faultOf(error);
      if ((fault === 'busy' || fault === 'crowded') && monotonic() <= giveUpAt) await sleep(PAUSE_MS[fault]);
      else if (fault === 'read-only' && !wasReadOnly) wasReadOnly = true;
      else throw error;
    }
  }
}

/**
 * Runs `work` and turns what the driver throws into `StorageUnavailable`; other errors pass unchanged. What the database
 * refused without any effect may be run again, so `work` must have no effect but its last statement.
 */
export function storageCall<T>(
  { dialect }: { readonly dialect: Pick<SqlDialect, 'faultOf'> },
  work: () => Promise<T>,
): Promise<T> {
  return untilTaken(dialect, work).catch((error: unknown) => {
    throw asUnavailable(dialect, error);
  });
}

/**
 * Like `storageCall`, for a change: its result means that the change is committed, on disk, and in the file that the next
 * start finds.
 */
export async function storageChange<T>(
  database: Pick<Database, 'dialect' | 'writes'>,
  work: () => Promise<T>,
): Promise<T> {
  try {
    const result = await storageCall(database, work);
    database.writes.confirm();
    return result;
  } catch (error) {
    database.writes.failed(error);
    throw error;
  }
}

/**
 * Runs `work` in one transaction; its result means what that of `storageChange` does. A transaction that lost against a
 * concurrent one is run again, so `work` must have no other effects.
 */
export function transact<T>(
  database: Pick<Database, 'kysely' | 'dialect' | 'writes'>,
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  return storageChange(database, () => untilWon(database, work));
}

async function untilWon<T>(
  { kysely, dialect }: Pick<Database, 'kysely' | 'dialect'>,
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await kysely.transaction().execute(work);
    } catch (error) {
      const lostRace = dialect.faultOf(error) === 'conflict';
      if (!lostRace || attempt === MAX_TRIES) throw error;
    }
  }
}
