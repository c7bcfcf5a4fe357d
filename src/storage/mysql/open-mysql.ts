import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler } from 'kysely';
import type { DatabaseAddress } from '../address/database-address.ts';
import type { ClosedDatabase } from '../database.ts';
import { openServer } from '../server/open-server.ts';
import type { ServerLimits } from '../server/server-limits.ts';
import { mysqlFault } from './mysql-fault.ts';
import { mysqlSqlDialect } from './mysql-sql-dialect.ts';
import { mysqlUnsuited } from './mysql-unsuited.ts';
import { openMysqlPool } from './open-mysql-pool.ts';

/** Prepares a MySQL or MariaDB database without asking it anything. Rejects with `DatabaseUrlError`. */
export const openMysql = (address: DatabaseAddress, limits: ServerLimits): Promise<ClosedDatabase> =>
  openServer(address, limits, {
    openPool: openMysqlPool,
    faultOf: mysqlFault,
    kysely: {
      createQueryCompiler: () => new MysqlQueryCompiler(),
      createAdapter: () => new MysqlAdapter(),
      createIntrospector: (kysely) => new MysqlIntrospector(kysely),
    },
    identity: 'version()',
    dialectOf: mysqlSqlDialect,
    unsuited: mysqlUnsuited,
  });
