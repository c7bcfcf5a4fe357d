import type { DatabaseSync } from 'node:sqlite';
import {
  CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  SqliteAdapter,
  SqliteDriver,
  SqliteIntrospector,
  SqliteQueryCompiler,
  sql,
} from 'kysely';
import type { SqlDialect } from '../database.ts';
import { sqliteFault } from './sqlite-fault.ts';
import { sqliteStatements } from './sqlite-statements.ts';

/** Kysely's own driver, with transactions that take the write lock at once and leave nothing half open. */
class ImmediateDriver extends SqliteDriver {
  readonly #database: DatabaseSync;

  constructor(database: DatabaseSync) {
    super({ database: sqliteStatements(database) });
    this.#database = database;
  }

  // A deferred transaction that reads and then writes fails at once, without waiting for its turn, when another
  // process wrote in between (https://sqlite.org/rescode.html#busy_snapshot).
  override async beginTransaction(connection: DatabaseConnection): Promise<void> {
    await connection.executeQuery(CompiledQuery.raw('begin immediate'));
  }

  // After some errors, a full disk for one, SQLite has already rolled back, and `rollback` would be an error that
  // hides the first one (https://sqlite.org/lang_transaction.html).
  override async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    if (this.#database.isOpen && this.#database.isTransaction) await super.rollbackTransaction(connection);
  }
}

/** With this, the migrator runs in one transaction, which keeps other processes out as well. */
class TransactionalAdapter extends SqliteAdapter {
  override get supportsTransactionalDdl(): boolean {
    return true;
  }
}

/** Kysely over an open `node:sqlite` database. */
export function sqliteKyselyDialect(database: DatabaseSync): Dialect {
  return {
    createDriver: () => new ImmediateDriver(database),
    createQueryCompiler: () => new SqliteQueryCompiler(),
    createAdapter: () => new TransactionalAdapter(),
    createIntrospector: (kysely) => new SqliteIntrospector(kysely),
  };
}

/** SQLite in the terms of our queries and migrations. */
export const sqliteSqlDialect: SqlDialect = {
  name: 'sqlite',
  rowLocks: false,
  faultOf: sqliteFault,
  columns: {
    // SQLite compares bytes unless told otherwise, and does not enforce lengths.
    exactText: (length) => sql`varchar(${sql.lit(length)})`,
    longText: sql`text`,
    rowId: sql`integer`,
    // Without the word `autoincrement` SQLite would give the id of the last row again after its removal.
    countedUp: (column) => column.autoIncrement(),
  },
  indexesForeignKeys: false,
};
