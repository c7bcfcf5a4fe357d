import { sql } from 'kysely';
import type { SqlDialect } from '../database.ts';
import { postgresFault } from './postgres-fault.ts';

/** PostgreSQL in the terms of our queries and migrations. */
export const postgresSqlDialect: SqlDialect = {
  name: 'postgres',
  rowLocks: true,
  faultOf: postgresFault,
  columns: {
    // Equality is of bytes under every usual collation, the order is so only under "C".
    exactText: (length) => sql`varchar(${sql.lit(length)}) collate "C"`,
    longText: sql`text`,
    rowId: sql`integer`,
    countedUp: (column) => column.generatedAlwaysAsIdentity(),
  },
  indexesForeignKeys: false,
};
