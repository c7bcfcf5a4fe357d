import assert from 'node:assert/strict';
import { once } from 'node:events';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { allMigrations } from '../../src/storage/migrations/all-migrations.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { runProgram } from './run-program.ts';
import { tempFolder } from './temp-folder.ts';

const MIGRATING = `
  import { openDatabase } from 'src:storage/open-database.ts';
  import { migrate } from 'src:storage/migrate.ts';
  console.log('ready');
  process.stdin.once('data', async (url) => {
    const database = await openDatabase(String(url).trim());
    console.log(JSON.stringify(await migrate(database)));
    await database.close();
    process.stdin.destroy();
  });`;

async function tableNames({ kysely }: Database): Promise<readonly string[]> {
  return (await kysely.introspection.getTables()).map(({ name }) => name).sort();
}

describe('migrating', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  before(async () => {
    folder = await tempFolder();
  });
  after(() => folder.remove());
  const open = (name: string) => openDatabase(`sqlite:${join(folder.path, name)}`);

  it('the first time it makes the tables and tells what it applied, the second time nothing', async () => {
    const database = await open('first.db');
    const names = Object.keys(allMigrations(database.dialect));
    assert.deepEqual(await migrate(database), names);
    assert.deepEqual(await tableNames(database), ['app_changes', 'apps', 'devices', 'provider_tokens']);
    await database.close();
    const again = await open('first.db');
    assert.deepEqual(await migrate(again), []);
    await again.close();
  });

  it('several processes may start on the same new file at once; each migration is applied once', async () => {
    const programs = Array.from({ length: 3 }, () => runProgram(MIGRATING));
    const ended = programs.map(({ child }) => once(child, 'exit'));
    await Promise.all(programs.map((program) => program.line()));
    for (const { child } of programs) child.stdin.write(`sqlite:${join(folder.path, 'race', 'new.db')}\n`);
    const applied = await Promise.all(programs.map(async (program) => JSON.parse(await program.line())));
    assert.deepEqual(applied.flat(), ['001-apps-and-devices', '002-provider-tokens']);
    for (const [code] of await Promise.all(ended)) assert.equal(code, 0);
  });

  it('a migration that the database refuses is told in its words, and tried again by the next start', async () => {
    const database = await open('refusing.db');
    const known = allMigrations(database.dialect);
    const broken: Migration = {
      up: async (db) => void (await sql`create table apps (id integer)`.execute(db)),
    };
    await assert.rejects(migrate(database, { ...known, '900-broken': broken }), {
      name: 'MigrationFailed',
      message: 'the database could not be brought up to date: table apps already exists',
    });
    assert.deepEqual(await migrate(database), Object.keys(known));
    await database.close();
  });

  it('a database of a newer version is refused and left alone', async () => {
    const database = await open('newer.db');
    const known = allMigrations(database.dialect);
    const future = {
      up: async () => void (await sql`create table future (id integer)`.execute(database.kysely)),
    };
    assert.deepEqual(await migrate(database, { ...known, '999-future': { up: async () => {} } }), [
      ...Object.keys(known),
      '999-future',
    ]);
    await assert.rejects(migrate(database), {
      name: 'DatabaseTooNew',
      message: /newer version of this program.*"999-future"/,
    });
    await assert.rejects(migrate(database, { ...known, '998-other': future }), { name: 'DatabaseTooNew' });
    assert.ok(!(await tableNames(database)).includes('future'));
    await database.close();
  });

  it('a migration that fails leaves nothing of itself or of the others, and can be run again', async () => {
    const database = await open('failing.db');
    const known = allMigrations(database.dialect);
    const failing = {
      '002-half': {
        up: async (db: Database['kysely']) => {
          await sql`create table half (id integer)`.execute(db);
          throw new Error('no more');
        },
      },
    };
    await assert.rejects(migrate(database, { ...known, ...failing }), /no more/);
    assert.deepEqual(await tableNames(database), []);
    assert.deepEqual(await migrate(database), Object.keys(known));
    await database.close();
  });
});
