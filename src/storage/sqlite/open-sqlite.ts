import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import type { Database } from '../database.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { storageCall } from '../storage-call.ts';
import type { Tables } from '../tables.ts';
import { openSqliteReader, type SqliteReader } from './open-sqlite-reader.ts';
import { prepareSqliteFile } from './prepare-sqlite-file.ts';
import { sqliteFault } from './sqlite-fault.ts';
import { sqliteKyselyDialect } from './sqlite-kysely-dialect.ts';
import { sqliteSqlDialect } from './sqlite-sql-dialect.ts';

/** Waiting for another process's lock inside SQLite would stop every call of this process; `storageCall` waits instead. */
const BUSY_TIMEOUT_MS = 0;
/** How long opening goes on trying while another process holds the file, and the pause between two tries. */
const OPEN_PATIENCE_MS = 10_000;
const OPEN_PAUSE_MS = 50;

const openOnce = (path: string): DatabaseSync => {
  const sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    // In WAL mode, readers and one writer do not wait for each other; FULL syncs every commit to the disk before it
    // is reported, which WAL alone does not (https://sqlite.org/pragma.html#pragma_synchronous).
    sqlite.exec('pragma journal_mode = wal; pragma synchronous = full;');
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
};

/** Changing to WAL fails at once, without the busy timeout, while another process does the same to a new file. */
const openPatiently = async (path: string): Promise<DatabaseSync> => {
  const giveUpAt = monotonic() + OPEN_PATIENCE_MS;
  for (;;) {
    try {
      return openOnce(path);
    } catch (error) {
      if (sqliteFault(error) !== 'busy' || monotonic() > giveUpAt) throw error;
      await sleep(OPEN_PAUSE_MS);
    }
  }
};

const problemOf = (path: string, error: unknown): string => {
  switch (sqliteFault(error)) {
    case 'damaged':
      return `${path} is not a SQLite database, or is damaged`;
    case 'busy':
      return `${path} is locked by another program`;
    case 'full':
      return `cannot use ${path}: the disk is full`;
    default:
      return `cannot open ${path} as a SQLite database`;
  }
};

const openFile = async (path: string): Promise<DatabaseSync> => {
  if (path !== ':memory:') await prepareSqliteFile(path);
  try {
    return await openPatiently(path);
  } catch (error) {
    throw new DatabaseUrlError(problemOf(path, error), { cause: error });
  }
};

const openReader = async (path: string, writer: DatabaseSync): Promise<SqliteReader> => {
  try {
    return await openSqliteReader(path);
  } catch (error) {
    writer.close();
    throw new DatabaseUrlError(problemOf(path, error), { cause: error });
  }
};

/** Opens the SQLite file at `path`, or a database in memory for `:memory:`. Rejects with `DatabaseUrlError`. */
export const openSqlite = async (path: string): Promise<Database> => {
  const sqlite = await openFile(path);
  const kysely = new Kysely<Tables>({ dialect: sqliteKyselyDialect(sqlite) });
  // A database in memory is there for one connection only.
  const reader = path === ':memory:' ? undefined : await openReader(path, sqlite);
  let closed = false;
  const dialect = {
    ...sqliteSqlDialect,
    // Kysely reports its own closing with a plain error.
    faultOf: (error: unknown) => (closed ? 'closed' : sqliteFault(error)),
  };
  return {
    kysely,
    dialect,
    migrating: (work) => work(kysely),
    read: (query) => (reader === undefined ? kysely.executeQuery(query) : reader.read(query)),
    ping: () =>
      storageCall(
        { dialect },
        async () => void (await sql`select account from devices limit 1`.execute(kysely)),
      ),
    close: async () => {
      closed = true;
      await reader?.close();
      await kysely.destroy();
      // Kysely closes nothing that it has not used yet.
      if (sqlite.isOpen) sqlite.close();
    },
  };
};
