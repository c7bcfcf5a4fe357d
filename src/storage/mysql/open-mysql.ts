import { MysqlAdapter, MysqlIntrospector, MysqlQueryCompiler, sql } from 'kysely';
import type { DatabaseAddress } from '../address/database-address.ts';
import type { ClosedDatabase, SqlDialect } from '../database.ts';
import { openServer } from '../server/open-server.ts';
import type { ServerLimits } from '../server/server-limits.ts';
import { mysqlFault } from './mysql-fault.ts';
import { openMysqlPool } from './open-mysql-pool.ts';

/** Prepares a MySQL or MariaDB database without asking it anything. Rejects with `DatabaseUrlError`. */
export function openMysql(address: DatabaseAddress, limits: ServerLimits): Promise<ClosedDatabase> {
  return openServer(address, limits, {
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
}

interface Oldest {
  readonly name: string;
  readonly version: readonly [number, number, number];
}

/** The first versions with a collation that compares text exactly. */
const MARIADB: Oldest = { name: 'MariaDB', version: [10, 2, 0] };
const MYSQL: Oldest = { name: 'MySQL', version: [8, 0, 17] };

/** Why our tables cannot be on a server that says this of its `version()`; undefined where they can, or nobody knows. */
export function mysqlUnsuited(version: string): string | undefined {
  const numbers = /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number);
  if (numbers === undefined) return undefined;
  const oldest = /mariadb/i.test(version) ? MARIADB : MYSQL;
  const difference = oldest.version
    .map((number, place) => (numbers[place] ?? 0) - number)
    .find((each) => each !== 0);
  if (difference === undefined || difference > 0) return undefined;
  return `the server is ${oldest.name} ${numbers.join('.')}; MySQL 8.0.17 or MariaDB 10.2, or newer, is needed`;
}

/**
 * MySQL or MariaDB in the terms of our queries and migrations, by its `version()`. Of the collations of utf8mb4 only
 * these compare code points without padding: under `utf8mb4_bin` two texts are equal that differ in trailing spaces.
 * https://dev.mysql.com/doc/refman/8.4/en/charset-binary-collations.html
 * https://mariadb.com/kb/en/supported-character-sets-and-collations/
 */
export function mysqlSqlDialect(version: string): SqlDialect {
  const collation = /mariadb/i.test(version) ? 'utf8mb4_nopad_bin' : 'utf8mb4_0900_bin';
  const exact = sql.raw(`character set utf8mb4 collate ${collation}`);
  return {
    name: 'mysql',
    rowLocks: true,
    faultOf: mysqlFault,
    columns: {
      exactText: (length) => sql`varchar(${sql.lit(length)}) ${exact}`,
      longText: sql`longtext ${exact}`,
      rowId: sql`integer`,
      countedUp: (column) => column.autoIncrement(),
    },
    indexesForeignKeys: true,
  };
}
