import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { sqliteFault } from '../../src/storage/sqlite/sqlite-fault.ts';

function failed(errcode: number) {
  return Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR', errcode });
}

/** Result codes of https://sqlite.org/rescode.html, primary and extended, and what they mean here. */
const ROWS = [
  ['SQLITE_PERM', 3, 'io'],
  ['SQLITE_BUSY', 5, 'busy'],
  ['SQLITE_BUSY_RECOVERY', 261, 'busy'],
  ['SQLITE_BUSY_SNAPSHOT', 517, 'busy'],
  ['SQLITE_LOCKED', 6, 'busy'],
  ['SQLITE_LOCKED_SHAREDCACHE', 262, 'busy'],
  ['SQLITE_NOMEM', 7, 'io'],
  ['SQLITE_READONLY', 8, 'read-only'],
  ['SQLITE_READONLY_DBMOVED', 1032, 'read-only'],
  ['SQLITE_READONLY_DIRECTORY', 1544, 'read-only'],
  ['SQLITE_IOERR', 10, 'io'],
  ['SQLITE_IOERR_SHORT_READ', 522, 'io'],
  ['SQLITE_IOERR_WRITE', 778, 'io'],
  ['SQLITE_IOERR_FSYNC', 1034, 'io'],
  ['SQLITE_CORRUPT', 11, 'damaged'],
  ['SQLITE_CORRUPT_INDEX', 779, 'damaged'],
  ['SQLITE_FULL', 13, 'full'],
  ['SQLITE_CANTOPEN', 14, 'io'],
  ['SQLITE_CANTOPEN_ISDIR', 526, 'io'],
  ['SQLITE_PROTOCOL', 15, 'busy'],
  ['SQLITE_NOTADB', 26, 'damaged'],
  ['SQLITE_CONSTRAINT_FOREIGNKEY', 787, 'conflict'],
  ['SQLITE_CONSTRAINT_PRIMARYKEY', 1555, 'conflict'],
  ['SQLITE_CONSTRAINT_UNIQUE', 2067, 'conflict'],
  ['SQLITE_ERROR', 1, undefined],
  ['SQLITE_ERROR_RETRY', 513, undefined],
  ['SQLITE_CONSTRAINT', 19, undefined],
  ['SQLITE_CONSTRAINT_CHECK', 275, undefined],
  ['SQLITE_CONSTRAINT_NOTNULL', 1299, undefined],
  ['SQLITE_MISMATCH', 20, undefined],
  ['SQLITE_RANGE', 25, undefined],
] as const;

describe('what a result code of SQLite means', () => {
  for (const [name, code, fault] of ROWS)
    it(`${name} (${code}): ${fault ?? 'a mistake of ours'}`, () =>
      assert.equal(sqliteFault(failed(code)), fault));

  it('an error without one is none of SQLite, but for a closed database', () => {
    const database = new DatabaseSync(':memory:');
    database.close();
    assert.equal(sqliteFault(thrownBy(() => database.exec('select 1'))), 'closed');
    assert.equal(sqliteFault(new TypeError('x')), undefined);
    assert.equal(sqliteFault(Object.assign(new Error('x'), { code: 'ERR_SQLITE_ERROR' })), undefined);
    assert.equal(sqliteFault(Object.assign(new Error('x'), { code: 'x', errcode: '5' })), undefined);
    assert.equal(sqliteFault('5'), undefined);
  });

  it('it is what node:sqlite gives', () => {
    const database = new DatabaseSync(':memory:');
    database.exec('pragma foreign_keys = on');
    database.exec(
      'create table a (id integer primary key, word text unique, more text not null check (more <> word))',
    );
    database.exec('create table b (a integer references a (id))');
    database.exec("insert into a values (1, 'x', 'y')");
    const faults = [
      ["insert into a values (1, 'z', 'y')", 'conflict'],
      ["insert into a values (2, 'x', 'y')", 'conflict'],
      ['insert into b values (7)', 'conflict'],
      ["insert into a values (3, 'z', null)", undefined],
      ["insert into a values (3, 'z', 'z')", undefined],
      ['selec 1', undefined],
    ] as const;
    for (const [sql, fault] of faults)
      assert.equal(sqliteFault(thrownBy(() => database.exec(sql))), fault, sql);
    database.close();
  });
});

function thrownBy(work: () => void): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return assert.fail('nothing was thrown');
}
