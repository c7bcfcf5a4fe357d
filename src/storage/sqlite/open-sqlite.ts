import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { Kysely, sql } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import type { Database } from '../database.ts';
import { DatabaseUrlError } from '../database-url-error.ts';
import { driverWords } from '../driver-words.ts';
import { storageChange } from '../storage-call.ts';
import { type StorageFault, StorageUnavailable } from '../storage-unavailable.ts';
import type { Tables } from '../tables.ts';
import { WriteGuard } from '../write-guard.ts';
import { isDiskFull, mayNotWrite } from './disk-space.ts';
import { type FileWatch, watchSqliteFile } from './file-watch.ts';
import { findSqliteFile } from './find-sqlite-file.ts';
import { openSqliteReader, type SqliteReader } from './open-sqlite-reader.ts';
import { prepareSqliteFile } from './prepare-sqlite-file.ts';
import { sqliteFault } from './sqlite-fault.ts';
import { sqliteKyselyDialect, sqliteSqlDialect } from './sqlite-kysely-dialect.ts';

/** Waiting for another process's lock inside SQLite would stop every call of this process; `storageCall` waits instead. */
const BUSY_TIMEOUT_MS = 0;
/** How long opening goes on trying while another process holds the file, and the pause between two tries. */
const OPEN_PATIENCE_MS = 10_000;
const OPEN_PAUSE_MS = 50;

/** Makes the side files, and ends the checkpoint that a killed process may have left, for the watch over the files. */
function checkpoint(sqlite: DatabaseSync): void {
  try {
    sqlite.exec('pragma wal_checkpoint(passive)');
  } catch {
    // As after each commit, that is no failure: the next one writes what this one did not.
  }
}

function openOnce(path: string): DatabaseSync {
  const sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true });
  try {
    // In WAL mode, readers and one writer do not wait for each other; FULL syncs every commit to the disk before it
    // is reported, which WAL alone does not (https://sqlite.org/pragma.html#pragma_synchronous).
    sqlite.exec('pragma journal_mode = wal; pragma synchronous = full;');
    checkpoint(sqlite);
    return sqlite;
  } catch (error) {
    sqlite.close();
    throw error;
  }
}

/** Changing to WAL fails at once, without the busy timeout, while another process does the same to a new file. */
async function openPatiently(path: string): Promise<DatabaseSync> {
  const giveUpAt = monotonic() + OPEN_PATIENCE_MS;
  for (;;) {
    try {
      return openOnce(path);
    } catch (error) {
      if (sqliteFault(error) !== 'busy' || monotonic() > giveUpAt) throw error;
      await sleep(OPEN_PAUSE_MS);
    }
  }
}

/** Without room for its side files, SQLite speaks of input and output, or of a file that it cannot open. */
function faultAt(path: string, error: unknown): StorageFault | undefined {
  const fault = sqliteFault(error);
  return fault === 'io' && path !== ':memory:' && isDiskFull(path) ? 'full' : fault;
}

function problemOf(path: string, error: unknown): string {
  switch (faultAt(path, error)) {
    case 'damaged':
      return `${path} is not a SQLite database, or is damaged`;
    case 'busy':
      return `${path} is locked by another program`;
    case 'full':
      return `cannot use ${path}: the disk is full`;
    case 'read-only':
      return `cannot use ${path}: the file and its directory must be writable by this user`;
    default:
      return `cannot open ${path} as a SQLite database: ${driverWords(error) ?? 'unknown error'}`;
  }
}

async function openFile(path: string, create: boolean): Promise<DatabaseSync> {
  if (path !== ':memory:') await (create ? prepareSqliteFile(path) : findSqliteFile(path));
  try {
    return await openPatiently(path);
  } catch (error) {
    throw new DatabaseUrlError(problemOf(path, error), { cause: error });
  }
}

async function openForCalls(
  path: string,
  writer: DatabaseSync,
): Promise<{ reader: SqliteReader; watch: FileWatch }> {
  try {
    const reader = await openSqliteReader(path);
    return { reader, watch: watchSqliteFile(path) };
  } catch (error) {
    writer.close();
    throw new DatabaseUrlError(problemOf(path, error), { cause: error });
  }
}

/** Commits a page that says what it said before: the file's number for its user, which we make no use of. */
function commitSamePage(kysely: Kysely<Tables>): Promise<void> {
  return kysely.connection().execute(async (connection) => {
    const { rows } = await sql<{ user_version: number }>`pragma user_version`.execute(connection);
    await sql`pragma user_version = ${sql.lit(rows[0]?.user_version ?? 0)}`.execute(connection);
  });
}

/**
 * Opens the SQLite file at `path`, or a database in memory for `:memory:`. Rejects with `DatabaseUrlError`; without
 * `create` with `DatabaseMissing`, where it is not there.
 */
export async function openSqlite(path: string, { create }: { readonly create: boolean }): Promise<Database> {
  const sqlite = await openFile(path, create);
  const kysely = new Kysely<Tables>({ dialect: sqliteKyselyDialect(sqlite) });
  // A database in memory is there for one connection only.
  const file = path === ':memory:' ? undefined : await openForCalls(path, sqlite);
  let closed = false;
  const loss = () => (closed ? undefined : file?.watch.loss());
  const writes = new WriteGuard(loss);
  const dialect = {
    ...sqliteSqlDialect,
    // Kysely reports its own closing with a plain error.
    faultOf: (error: unknown) => (closed ? 'closed' : faultAt(path, error)),
  };
  return {
    kysely,
    dialect,
    migrating: (work) => work(kysely),
    read: (query) => (file === undefined ? kysely.executeQuery(query) : file.reader.read(query)),
    writes,
    loss,
    shortage: () => undefined,
    proveWriting: async () => {
      if (path === ':memory:') return;
      // That a trigger rejects rows, this page does not show.
      const isInDoubt = writes.failure instanceof StorageUnavailable;
      if (!isInDoubt && !(await mayNotWrite(path))) return;
      await storageChange({ dialect, writes }, () => commitSamePage(kysely));
    },
    close: async () => {
      if (closed) return;
      closed = true;
      await file?.reader.close();
      await kysely.destroy();
      // Kysely closes nothing that it has not used yet.
      if (sqlite.isOpen) sqlite.close();
      file?.watch.close();
    },
  };
}
