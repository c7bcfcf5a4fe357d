import { PostgresAdapter, PostgresIntrospector, PostgresQueryCompiler } from 'kysely';
import type { DatabaseAddress } from '../../lib/database-address.ts';
import type { Database } from '../database.ts';
import { openServer } from '../server/open-server.ts';
import type { ServerLimits } from '../server/server-limits.ts';
import { openPostgresPool } from './open-postgres-pool.ts';
import { postgresFault } from './postgres-fault.ts';
import { postgresSqlDialect } from './postgres-sql-dialect.ts';

/** Opens a PostgreSQL database. Rejects with `DatabaseUrlError`, or with `StorageUnavailable` where it cannot be reached. */
export const openPostgres = (address: DatabaseAddress, limits: ServerLimits): Promise<Database> =>
  openServer(address, limits, {
    openPool: openPostgresPool,
    faultOf: postgresFault,
    kysely: {
      createQueryCompiler: () => new PostgresQueryCompiler(),
      createAdapter: () => new PostgresAdapter(),
      createIntrospector: (kysely) => new PostgresIntrospector(kysely),
    },
    dialectOf: () => postgresSqlDialect,
  });
