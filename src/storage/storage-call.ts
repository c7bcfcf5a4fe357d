import type { Transaction } from 'kysely';
import type { Database, SqlDialect } from './database.ts';
import { StorageUnavailable } from './storage-unavailable.ts';
import type { Tables } from './tables.ts';

/** How often a transaction that lost against another one is run, the first time included. */
const MAX_TRIES = 8;

const asUnavailable = (dialect: Pick<SqlDialect, 'faultOf'>, error: unknown): unknown => {
  const fault = error instanceof StorageUnavailable ? undefined : dialect.faultOf(error);
  return fault === undefined ? error : new StorageUnavailable(fault, { cause: error });
};

/** Runs `work` and turns what the driver throws into `StorageUnavailable`; other errors pass unchanged. */
export const storageCall = async <T>(
  { dialect }: { readonly dialect: Pick<SqlDialect, 'faultOf'> },
  work: () => Promise<T>,
): Promise<T> => {
  try {
    return await work();
  } catch (error) {
    throw asUnavailable(dialect, error);
  }
};

/**
 * Runs `work` in one transaction; its result means that the transaction is committed and on disk.
 * A transaction that lost against a concurrent one is run again, so `work` must have no other effects.
 */
export const transact = async <T>(
  { kysely, dialect }: Pick<Database, 'kysely' | 'dialect'>,
  work: (transaction: Transaction<Tables>) => Promise<T>,
): Promise<T> => {
  for (let attempt = 1; ; attempt += 1) {
    try {
      return await kysely.transaction().execute(work);
    } catch (error) {
      const lostRace = dialect.faultOf(error) === 'conflict';
      if (!lostRace || attempt === MAX_TRIES) throw asUnavailable(dialect, error);
    }
  }
};
