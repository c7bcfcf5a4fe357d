import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler, sql } from 'kysely';
import type { DatabaseAddress } from '../address/database-address.ts';
import type { ClosedDatabase, SqlDialect } from '../database.ts';
import { openServer } from '../server/open-server.ts';
import type { ServerLimits } from '../server/server-limits.ts';
import { openPostgresPool } from './open-postgres-pool.ts';
import { postgresFault } from './postgres-fault.ts';

/** Prepares a PostgreSQL database without asking it anything. Rejects with `DatabaseUrlError`. */
export function openPostgres(address: DatabaseAddress, limits: ServerLimits): Promise<ClosedDatabase> {
  return openServer(address, limits, {
    openPool: openPostgresPool,
    faultOf: postgresFault,
    kysely: {
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    },
    identity: "current_setting('server_encoding')",
    dialectOf: () => postgresSqlDialect,
    unsuited: (encoding) =>
      encoding === 'UTF8'
        ? undefined
        : `the encoding of the database is ${encoding}, in which not every text can be kept; make one with: create database NAME encoding 'UTF8' template template0`,
  });
}

/** PostgreSQL in the terms of our queries and migrations. */
const postgresSqlDialect: SqlDialect = {
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
