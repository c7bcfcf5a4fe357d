import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely';
import type { DatabaseAddress } from '../../lib/database-address.ts';
import type { Database } from '../database.ts';
import { openServer } from '../server/open-server.ts';
import type { ServerLimits } from '../server/server-limits.ts';
import { mysqlFault } from './mysql-fault.ts';
import { mysqlSqlDialect } from './mysql-sql-dialect.ts';
import { openMysqlPool } from './open-mysql-pool.ts';

/** Opens a MySQL or MariaDB database. Rejects with `DatabaseUrlError`, or with `StorageUnavailable` where it cannot be reached. */
export const openMysql = (address: DatabaseAddress, limits: ServerLimits): Promise<Database> =>
  openServer(address, limits, {
    openPool: openMysqlPool,
    faultOf: mysqlFault,
    kysely: {
      createQueryCompiler: () => new MysqlQueryCompiler(),
      createAdapter: () => new MysqlAdapter(),
      createIntrospector: (kysely) => new MysqlIntrospector(kysely),
    },
    dialectOf: mysqlSqlDialect,
  });
