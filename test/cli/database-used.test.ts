import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { sql } from 'kysely';
import { startDatabaseServer } from '../../harness/database-server.ts';
import { skipWithout } from '../../harness/find-server.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { type Cli, createCli } from './cli-fixture.ts';

/** Every command that uses a database and must not make one. */
const READERS: readonly (readonly string[])[] = [
  ['apps', 'list', '--json'],
  ['apps', 'check'],
  ['apps', 'remove', '--platform', 'apns', '--app-id', 'com.example.phone'],
  ['devices', 'list'],
  ['devices', 'show', '123456789'],
  ['devices', 'remove', '123456789'],
  ['devices', 'wake', '123456789', '--direct'],
  ['credentials', 'rotate', '--decrypt'],
  ['credentials', 'status', '--json'],
];

/** What opens a database is the same for every command: other cases need no more than one of them. */
const LIST = [['apps', 'list']];

async function refuse(
  cli: Cli,
  commands: readonly (readonly string[])[],
  databaseUrl: string,
  why: RegExp,
  what: string,
) {
  for (const args of commands) {
    const { code, stdout, stderr } = await cli.run(args, { DATABASE_URL: databaseUrl });
    const name = `${args.join(' ')} on ${what}`;
    assert.deepEqual([code, stdout], [2, ''], name);
    assert.match(stderr, why, name);
    assert.match(stderr, /^DATABASE_URL: [^\n]+\n$/, name);
  }
}

async function sqliteFile(path: string, statements: string) {
  const database = new DatabaseSync(path);
  database.exec(statements);
  database.close();
  return readFile(path);
}

describe('which database a command uses', () => {
  it('a missing file or folder is not made; the error names it, the setting, and what to do', async (t) => {
    const cli = await createCli(t);
    const path = join(cli.folder, 'no', 'such', 'middleware.db');
    await refuse(
      cli,
      READERS,
      `sqlite:${path}`,
      new RegExp(`no database at ${path}.*npm run -s cli -- migrate`),
      'a missing file',
    );
    assert.ok(!existsSync(join(cli.folder, 'no')));
    // By default, relative to where it is run.
    const { code, stderr, database } = await cli.run(['apps', 'list'], { DATABASE_URL: '' });
    assert.equal(code, 2);
    assert.ok(stderr.includes(join(cli.folder, 'data', 'middleware.db')), stderr);
    assert.equal(database, `sqlite:${join(cli.folder, 'data', 'middleware.db')} (no such file)`);
    assert.deepEqual(await readdir(cli.folder), []);
  });

  it('what is no database of this service is refused and left as it is', async (t) => {
    const cli = await createCli(t);
    const file = (name: string) => join(cli.folder, name);
    await writeFile(file('empty.db'), '');
    await writeFile(file('text.db'), 'a text that is no database, whatever its name says '.repeat(50));
    const foreign = await sqliteFile(
      file('foreign.db'),
      'pragma journal_mode = wal; create table theirs (a); insert into theirs values (1)',
    );
    // No page of SQLite's can have this size.
    await writeFile(file('bad.db'), Buffer.from(foreign).fill(0xff, 16, 18));
    await mkdir(file('folder'));
    const cases = [
      ['empty.db', /empty\.db is empty/],
      ['text.db', /text\.db is not a SQLite database/],
      ['bad.db', /bad\.db is not a SQLite database, or is damaged/],
      ['foreign.db', /foreign\.db has no tables of this service/],
      ['folder', /folder is a directory, not a file/],
      ['text.db/middleware.db', /no database at .*text\.db\/middleware\.db/],
    ] as const;
    for (const [name, why] of cases) await refuse(cli, LIST, `sqlite:${file(name)}`, why, name);
    assert.equal((await stat(file('empty.db'))).size, 0);
    assert.deepEqual(await readFile(file('foreign.db')), foreign);
    const left = (await readdir(cli.folder)).sort();
    assert.deepEqual(left, ['bad.db', 'empty.db', 'folder', 'foreign.db', 'text.db']);
  });

  it('an older database is left as it is, and the error says how to bring it up to date', async (t) => {
    const cli = await createCli(t);
    await cli.migrate();
    const older = new DatabaseSync(cli.databaseUrl.slice('sqlite:'.length));
    older.exec("delete from kysely_migration where name = '002-provider-tokens'; drop table provider_tokens");
    older.close();
    const { code, stderr } = await cli.run(['apps', 'list']);
    assert.deepEqual(
      [code, stderr],
      [1, 'The database must be brought up to date first: npm run -s cli -- migrate\n'],
    );
    assert.equal((await cli.run(['migrate'])).stdout, 'Applied 002-provider-tokens.\n');
    assert.equal((await cli.run(['apps', 'list'])).code, 0);
  });

  it('migrate makes it, with its folder; every command then says which one it used, standard output stays clean', async (t) => {
    const cli = await createCli(t);
    const settings = { DATABASE_URL: 'sqlite:new/folder/a.db' };
    const path = join(cli.folder, 'new', 'folder', 'a.db');
    const checked = await cli.run(['config', 'check'], settings);
    assert.equal(checked.database, `sqlite:${path} (will be created by serve)`);
    const made = await cli.run(['migrate'], settings);
    assert.deepEqual([made.code, made.database], [0, `sqlite:${path} (will be created)`]);
    const runs = [];
    for (const args of [...READERS, ['migrate'], ['config', 'check', '--json']])
      runs.push(await cli.run(args, settings));
    for (const { database } of runs) assert.equal(database, `sqlite:${path}`);
    const listed = runs[0];
    assert.deepEqual([listed?.code, listed?.stdout], [0, '[]\n']);
  });
});

for (const kind of ['PostgreSQL', 'MariaDB'] as const) {
  describe(`which database a command uses: ${kind}`, { skip: skipWithout(kind) }, () => {
    it('a database without our tables gets none, and its address is told without the password', async (t: TestContext) => {
      const server = await startDatabaseServer(kind);
      t.after(() => server.close());
      const url = await server.createDatabase();
      const cli = await createCli(t);
      await refuse(
        cli,
        LIST,
        url,
        /:\/\/tester@127\.0\.0\.1:\d+\/\w+ has no tables of this service/,
        'an empty database',
      );
      const database = await openDatabase(url);
      t.after(() => database.close());
      assert.deepEqual(await database.kysely.introspection.getTables({ withInternalKyselyTables: true }), []);
      await sql`create table theirs (a integer)`.execute(database.kysely);
      const listed = await cli.run(['apps', 'list'], { DATABASE_URL: url });
      assert.equal(listed.code, 2);
      assert.doesNotMatch(listed.all, /pass/);
      assert.equal((await cli.run(['migrate'], { DATABASE_URL: url })).code, 0);
      const { code, database: told, all } = await cli.run(['apps', 'list'], { DATABASE_URL: url });
      assert.deepEqual(
        [code, told],
        [0, `${new URL(url).protocol}//tester@127.0.0.1:${new URL(url).port}${new URL(url).pathname}`],
      );
      assert.doesNotMatch(all, /pass/);
    });
  });
}
