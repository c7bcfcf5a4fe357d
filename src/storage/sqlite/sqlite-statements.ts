import type { DatabaseSync, SQLInputValue, StatementSync } from 'node:sqlite';
import type { SqliteDatabase, SqliteStatement } from 'kysely';

/** How many prepared statements are kept; our queries are a few dozen different texts. */
const MAX_STATEMENTS = 100;

function bindable(value: unknown): SQLInputValue {
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint') return value;
  if (value === null || value instanceof Uint8Array) return value;
  throw new TypeError(`SQLite cannot store a value of type ${typeof value}`);
}

function namesOf(statement: StatementSync): readonly string[] {
  return statement.columns().map(({ name }) => name);
}

/** A row as an object. `node:sqlite` makes them itself, but then it makes the name of each column anew for each row. */
function asObject(columns: readonly string[], values: readonly unknown[]): unknown {
  const row: Record<string, unknown> = {};
  for (let at = 0; at < columns.length; at += 1) row[columns[at] ?? ''] = values[at];
  return row;
}

function adaptStatement(statement: StatementSync, prepareAnother: () => StatementSync): SqliteStatement {
  let columns = namesOf(statement);
  statement.setReturnArrays(true);
  const toObject = (values: unknown): unknown => {
    if (!Array.isArray(values)) return values;
    // Another process has changed the table of a `select *` meanwhile.
    if (values.length !== columns.length) columns = namesOf(statement);
    return asObject(columns, values);
  };
  return {
    reader: columns.length > 0,
    all: (parameters) => statement.all(...parameters.map(bindable)).map(toObject),
    run: (parameters) => statement.run(...parameters.map(bindable)),
    // A half-read statement cannot be shared with the cache's other users.
    iterate: (parameters) => prepareAnother().iterate(...parameters.map(bindable)),
  };
}

/** What Kysely needs of a driver, over `node:sqlite`; keeps the statements used last, so that a query is parsed once. */
export function sqliteStatements(database: DatabaseSync): SqliteDatabase {
  const kept = new Map<string, SqliteStatement>();
  /** Calls use the same one again and again. */
  let last: { readonly sql: string; readonly statement: SqliteStatement } | undefined;

  const prepare = (sql: string): SqliteStatement => {
    const known = kept.get(sql);
    const statement = known ?? adaptStatement(database.prepare(sql), () => database.prepare(sql));
    // Moved to the end: the first one is always the one that was not used for longest.
    kept.delete(sql);
    kept.set(sql, statement);
    const oldest = kept.keys().next();
    if (kept.size > MAX_STATEMENTS && oldest.done !== true) kept.delete(oldest.value);
    return statement;
  };
  return {
    prepare: (sql) => {
      if (last?.sql !== sql) last = { sql, statement: prepare(sql) };
      return last.statement;
    },
    close: () => {
      last = undefined;
      kept.clear();
      if (database.isOpen) database.close();
    },
  };
}
