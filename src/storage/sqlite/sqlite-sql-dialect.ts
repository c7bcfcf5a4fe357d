import { sql } from 'kysely';
import type { SqlDialect } from '../database.ts';
import { sqliteFault } from './sqlite-fault.ts';

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
