import { backoff } from '../lib/backoff.ts';
import { within } from '../lib/within.ts';
import { isServerAddress } from './address/database-address.ts';
import type { ClosedDatabase, Database } from './database.ts';
import { migrate } from './migrate.ts';
import { openDatabase, prepareServerDatabase } from './open-database.ts';
import type { ServerLimits } from './server/server-limits.ts';
import { type StorageFault, StorageUnavailable } from './storage-unavailable.ts';

/** A migrated database, or one that is waited for. */
export interface Opening {
  /** Can be handed around at once; until it is open, whatever is asked of it rejects with `StorageUnavailable` without delay. */
  readonly database: Database;
  /**
   * Resolves when it is open, with the migrations that took. Rejects where waiting is of no use: the address, the password,
   * the certificate or the version of the database is wrong. Never settles where it is closed before.
   */
  readonly opened: Promise<readonly string[]>;
  /** Ends the waiting as well. */
  close(): Promise<void>;
}

/** What goes with opening. */
interface OpeningSteps {
  /** Told why the server is away, once for each reason. */
  readonly onAway: (error: StorageUnavailable) => void;
  /** Looks whether the migrated database can be used; what it rejects with is treated as a failure to open it. */
  readonly check: (database: Database) => Promise<void>;
}

/** How long the first try is waited for; what takes longer, such as a long migration, goes on while others listen. */
const FIRST_TRY_MS = 5_000;
/** Pauses between two tries: short, because calls wait for nothing else, and random, because all instances ask. */
const PAUSES = { baseMs: 200, capMs: 2_000 };

/** Faults of a server that is there again after a while, against those that only an operator ends. */
const PASSES = {
  busy: true,
  closed: false,
  conflict: true,
  crowded: true,
  damaged: false,
  forbidden: false,
  full: true,
  gone: true,
  io: true,
  opening: true,
  // What a standby says until it is promoted.
  'read-only': true,
  refused: false,
  replaced: false,
  slow: true,
  untrusted: false,
} as const satisfies Record<StorageFault, boolean>;

function isAway(error: unknown): error is StorageUnavailable {
  return error instanceof StorageUnavailable && PASSES[error.fault];
}

/**
 * Opens the database at `url` and migrates it. A server that is away is waited for in the background, so that all
 * instances can be restarted meanwhile. What waiting does not help rejects,
 * with `DatabaseUrlError`, `DatabaseTooNew` or `StorageUnavailable`; where it shows only later, `opened` does. A SQLite
 * file is never away.
 */
export async function openWhenAble(url: string, limits: ServerLimits, steps: OpeningSteps): Promise<Opening> {
  const opening = isServerAddress(url)
    ? waitFor(await prepareServerDatabase(url, limits), steps)
    : await openFile(url, steps);
  // Whoever is given the opening looks at it later; a failure must not count as unheeded until then.
  opening.opened.catch(() => {});
  try {
    await within(Promise.race([opening.opened, opening.away]), FIRST_TRY_MS);
    return opening;
  } catch (error) {
    await opening.close();
    throw error;
  }
}

/** `away` resolves when the first try has found the server away. */
type Waiting = Opening & { readonly away: Promise<void> };

async function migrateAndCheck(database: Database, { check }: OpeningSteps) {
  const migrations = await migrate(database);
  await check(database);
  return migrations;
}

async function openFile(url: string, steps: OpeningSteps): Promise<Waiting> {
  const database = await openDatabase(url);
  return {
    database,
    opened: migrateAndCheck(database, steps),
    away: new Promise(() => {}),
    close: () => database.close(),
  };
}

function waitFor(database: ClosedDatabase, steps: OpeningSteps): Waiting {
  const opened = Promise.withResolvers<readonly string[]>();
  const away = Promise.withResolvers<void>();
  let timer: NodeJS.Timeout | undefined;
  let isClosed = false;
  let told: StorageFault | undefined;

  const wait = (error: StorageUnavailable, tries: number): void => {
    database.refuse(error);
    if (error.fault !== told) steps.onAway(error);
    told = error.fault;
    away.resolve();
    timer = setTimeout(() => void attempt(tries + 1), backoff(tries, PAUSES));
  };
  const attempt = async (tries: number): Promise<void> => {
    try {
      await database.contact();
      const migrations = await migrate(database);
      database.admit();
      await steps.check(database);
      opened.resolve(migrations);
    } catch (error) {
      if (isClosed) return;
      if (isAway(error)) wait(error, tries);
      else opened.reject(error);
    }
  };

  void attempt(0);
  return {
    database,
    opened: opened.promise,
    away: away.promise,
    close: async () => {
      isClosed = true;
      clearTimeout(timer);
      await database.close();
    },
  };
}
