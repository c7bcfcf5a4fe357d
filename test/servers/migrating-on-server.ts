import assert from 'node:assert/strict';
import { once } from 'node:events';
import { describe, it } from 'node:test';
import { sql } from 'kysely';
import type { DatabaseServer } from '../../harness/database-server.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { allMigrations } from '../../src/storage/migrations/all-migrations.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { runProgram } from '../storage/run-program.ts';

const MIGRATING = `
  import { openDatabase } from 'src:storage/open-database.ts';
  import { migrate } from 'src:storage/migrate.ts';
  console.log('ready');
  process.stdin.once('data', async (url) => {
    const database = await openDatabase(String(url).trim(), { poolSize: 2, timeoutMs: 20_000 });
    console.log(JSON.stringify(await migrate(database)));
    await database.close();
    process.stdin.destroy();
  });`;

/** What Kysely's migrator holds while it works, until its connection ends. */
const KYSELYS_LOCK = {
  postgres: 'select pg_advisory_lock(3853314791062309107)',
  mysql: "select get_lock('ea586330-2c93-47c8-908d-981d9d270f9d', 1)",
  sqlite: 'select 1',
} as const;

/** Migrating a database that several instances share. */
export function migratingOnServer(server: () => DatabaseServer): void {
  describe('migrating', () => {
    it('four processes start on the same new database at once; each migration is applied once', async () => {
      const url = await server().createDatabase();
      const programs = Array.from({ length: 4 }, () => runProgram(MIGRATING));
      const ended = programs.map(({ child }) => once(child, 'exit'));
      await Promise.all(programs.map((program) => program.line()));
      for (const { child } of programs) child.stdin.write(`${url}\n`);
      const applied = await Promise.all(programs.map(async (program) => JSON.parse(await program.line())));
      assert.deepEqual(applied.flat(), ['001-apps-and-devices', '002-provider-tokens']);
      for (const [code] of await Promise.all(ended)) assert.equal(code, 0);
    });

    it('a migration that was interrupted before it was noted is completed by the next start', async () => {
      const database = await openDatabase(await server().createDatabase());
      for (const { up } of Object.values(allMigrations(database.dialect))) await up(database.kysely);
      assert.deepEqual(await migrate(database), Object.keys(allMigrations(database.dialect)));
      assert.equal(await createAppStore(database, PLAIN_VAULT).revision(), 0);
      await database.close();
    });

    it('a database that is up to date is not locked: starts wait for nobody, also behind a pooler that has no sessions', async () => {
      const url = await server().createDatabase();
      const database = await openDatabase(url);
      await migrate(database);
      const other = await openDatabase(url, { poolSize: 1, timeoutMs: 10_000 });
      await sql.raw(KYSELYS_LOCK[database.dialect.name]).execute(other.kysely);
      assert.deepEqual(await migrate(database), []);
      await other.close();
      await database.close();
    });

    it('a database of a newer version is refused', async () => {
      const database = await openDatabase(await server().createDatabase());
      const known = allMigrations(database.dialect);
      await migrate(database, { ...known, '999-future': { up: async () => {} } });
      await assert.rejects(migrate(database), { name: 'DatabaseTooNew' });
      await database.close();
    });
  });
}
