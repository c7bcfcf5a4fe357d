import assert from 'node:assert/strict';
import { DatabaseSync } from 'node:sqlite';
import { it } from 'node:test';
import { keyedQuery } from '../../src/storage/keyed-query.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { sqliteStatements } from '../../src/storage/sqlite/sqlite-statements.ts';

it('a statement is prepared once while it is in use, and forgotten when many others came since', () => {
  const statements = sqliteStatements(new DatabaseSync(':memory:'));
  const kept = statements.prepare('select 1 as one');
  const forgotten = statements.prepare('select 2 as two');
  for (let number = 0; number < 150; number += 1) {
    statements.prepare(`select ${number} as other`);
    assert.equal(statements.prepare('select 1 as one'), kept);
  }
  assert.notEqual(statements.prepare('select 2 as two'), forgotten);
  assert.equal(kept.all([]).length, 1);
  statements.close();
});

it('reading a result bit by bit is not disturbed by the same statement run again', () => {
  const statements = sqliteStatements(new DatabaseSync(':memory:'));
  const query = 'select 1 as value union all select 2 union all select 3';
  const half = statements.prepare(query).iterate([]);
  half.next();
  statements.prepare(query).all([]);
  assert.equal([...half].length, 2);
  statements.close();
});

it('rows have the columns that the table has now, also where it was changed since', () => {
  const database = new DatabaseSync(':memory:');
  database.exec('create table things (one); insert into things values (1)');
  const statements = sqliteStatements(database);
  const all = () => statements.prepare('select * from things').all([]);
  assert.deepEqual(all(), [{ one: 1 }]);
  database.exec('alter table things add column two default 2');
  assert.deepEqual(all(), [{ one: 1, two: 2 }]);
  statements.close();
});

it('a value that SQLite cannot store is refused, not turned into something else', () => {
  const statements = sqliteStatements(new DatabaseSync(':memory:'));
  for (const value of [true, undefined, {}, []]) {
    assert.throws(() => statements.prepare('select ? as x').all([value]), TypeError);
  }
  statements.close();
});

it('a keyed query with any other number of parameters is refused when it is made', async () => {
  const database = await openDatabase('sqlite::memory:');
  const devices = database.kysely.selectFrom('devices').select('token');
  assert.throws(() => keyedQuery(database, () => devices), /this one 0/);
  assert.throws(
    () => keyedQuery(database, (key) => devices.where('account', '=', key).limit(1)),
    /this one 2/,
  );
  await database.close();
});
