import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { findSqliteFile } from '../../src/storage/sqlite/find-sqlite-file.ts';
import { tempFolder } from './temp-folder.ts';

it('a database that must be there is found, or it is said what is there instead', async (t) => {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const at = (name: string) => join(folder.path, name);
  await writeFile(at('empty.db'), '');
  await writeFile(at('text.db'), 'this is a text and no database '.repeat(50));
  new DatabaseSync(at('other.db')).exec('create table other (id integer)');
  const ours = await openDatabase(`sqlite:${at('ours.db')}`);
  await migrate(ours);
  for (const [name, error, problem] of [
    ['none.db', 'DatabaseMissing', /there is no database at .*none\.db$/],
    ['text.db/none.db', 'DatabaseMissing', /there is no database at .*none\.db$/],
    ['empty.db', 'DatabaseMissing', /empty\.db is empty$/],
    ['other.db', 'DatabaseMissing', /other\.db has no tables of this service$/],
    ['text.db', 'DatabaseUrlError', /text\.db is not a SQLite database, or is damaged$/],
    ['', 'DatabaseUrlError', /is a directory, not a file$/],
    [`${'x'.repeat(300)}.db`, 'DatabaseUrlError', /cannot be looked at$/],
  ] as const)
    await assert.rejects(findSqliteFile(at(name)), { name: error, message: problem }, name);
  await findSqliteFile(at('ours.db'));
  await ours.close();
  await findSqliteFile(at('ours.db'));
});
