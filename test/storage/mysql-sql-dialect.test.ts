import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { mysqlSqlDialect } from '../../src/storage/mysql/open-mysql.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { tempFolder } from './temp-folder.ts';

it('MySQL and MariaDB each get the collation that compares texts exactly', async (t) => {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const { kysely, close } = await openDatabase(`sqlite:${join(folder.path, 'compiler.db')}`);
  t.after(close);
  for (const [version, collation] of [
    ['8.4.0', 'utf8mb4_0900_bin'],
    ['', 'utf8mb4_0900_bin'],
    ['10.11.6-MariaDB-0+deb12u1', 'utf8mb4_nopad_bin'],
  ] as const) {
    const { columns } = mysqlSqlDialect(version);
    const texts = [columns.exactText(20), columns.longText, columns.rowId];
    assert.deepEqual(
      texts.map((text) => text.compile(kysely).sql),
      [
        `varchar(20) character set utf8mb4 collate ${collation}`,
        `longtext character set utf8mb4 collate ${collation}`,
        'integer',
      ],
    );
  }
});
