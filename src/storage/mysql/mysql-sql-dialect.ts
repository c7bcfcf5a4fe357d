import { sql } from 'kysely';
import type { SqlDialect } from '../database.ts';
import { mysqlFault } from './mysql-fault.ts';

/**
 * MySQL or MariaDB in the terms of our queries and migrations, by its `version()`. Of the collations of utf8mb4 only
 * these compare code points without padding: under `utf8mb4_bin` two texts are equal that differ in trailing spaces.
 * https://dev.mysql.com/doc/refman/8.4/en/charset-binary-collations.html
 * https://mariadb.com/kb/en/supported-character-sets-and-collations/
 */
export const mysqlSqlDialect = (version: string): SqlDialect => {
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
};
