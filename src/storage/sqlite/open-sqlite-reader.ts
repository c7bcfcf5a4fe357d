import { DatabaseSync } from 'node:sqlite';
import { type CompiledQuery, type QueryResult, SqliteDriver } from 'kysely';
import { sqliteStatements } from './sqlite-statements.ts';

/** A second connection to a SQLite file, which only reads. */
export interface SqliteReader {
  /** Reads what is committed. */
  read<Row>(query: CompiledQuery<Row>): Promise<QueryResult<Row>>;
  close(): Promise<void>;
}

/** Milliseconds; waiting inside SQLite would stop every call of this process. */
const BUSY_TIMEOUT_MS = 0;

/**
 * Opens it. On the one connection that writes, a read waits until the transaction that is under way has ended, since it
 * would else see what may yet be rolled back; in WAL mode this one sees what is committed, and at once.
 */
export async function openSqliteReader(path: string): Promise<SqliteReader> {
  const sqlite = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS });
  const driver = new SqliteDriver({ database: sqliteStatements(sqlite) });
  await driver.init();
  const connection = await driver.acquireConnection();
  return {
    read: (query) => connection.executeQuery(query),
    close: () => driver.destroy(),
  };
}
