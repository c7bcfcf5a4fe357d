import { setTimeout as sleep } from 'node:timers/promises';
import { type Kysely, sql } from 'kysely';
import { type Migration, Migrator } from 'kysely/migration';
import { monotonic } from '../lib/monotonic.ts';
import type { Database, SqlDialect } from './database.ts';
import { driverWords } from './driver-words.ts';
import { allMigrations, HISTORY_TABLE } from './migrations/all-migrations.ts';
import { storageCall } from './storage-call.ts';
import type { Tables } from './tables.ts';

/** How long to wait for another process that migrates the same database, and the pause between two tries. */
const PATIENCE_MS = 30_000;
const PAUSE_MS = 50;

type Migrations = Readonly<Record<string, Migration>>;

async function appliedMigrations(kysely: Kysely<Tables>): Promise<readonly string[]> {
  const tables = await kysely.introspection.getTables({ withInternalKyselyTables: true });
  if (!tables.some(({ name }) => name === HISTORY_TABLE)) return [];
  const { rows } = await sql<{ name: string }>`select name from ${sql.table(HISTORY_TABLE)}`.execute(kysely);
  return rows.map(({ name }) => name);
}

/** Whether migrations were applied: none, some or all of them. */
type MigrationState = 'empty' | 'behind' | 'current';

async function stateOf(kysely: Kysely<Tables>, migrations: Migrations): Promise<MigrationState> {
  const applied = new Set(await appliedMigrations(kysely));
  const unknown = [...applied].find((name) => !Object.hasOwn(migrations, name));
  if (unknown !== undefined) throw new DatabaseTooNew(unknown);
  if (applied.size === 0) return 'empty';
  return Object.keys(migrations).every((name) => applied.has(name)) ? 'current' : 'behind';
}

/** How far a database is, without changing it. Rejects with `DatabaseTooNew`, or with `StorageUnavailable`. */
export function migrationState(database: Database): Promise<MigrationState> {
  return storageCall(database, () =>
    database.migrating((kysely) => stateOf(kysely, allMigrations(database.dialect))),
  );
}

async function migrateOnce(
  kysely: Kysely<Tables>,
  migrations: Migrations,
  { faultOf }: Pick<SqlDialect, 'faultOf'>,
): Promise<readonly string[]> {
  // Without the migrator's lock: it is of the session, of which there is none behind a pooler that lends out its own.
  if ((await stateOf(kysely, migrations)) === 'current') return [];
  const provider = { getMigrations: async () => ({ ...migrations }) };
  const { error, results = [] } = await new Migrator({ db: kysely, provider }).migrateToLatest();
  if (error !== undefined) throw faultOf(error) === undefined ? new MigrationFailed(error) : error;
  return results.map(({ migrationName }) => migrationName);
}

/**
 * Brings the database to this program's version and tells which migrations that took, in order; none when it was
 * there already. Several processes may do it at once: each is applied by one of them. Rejects with `DatabaseTooNew`,
 * `MigrationFailed`, or `StorageUnavailable`.
 */
export function migrate(
  database: Database,
  migrations: Migrations = allMigrations(database.dialect),
): Promise<readonly string[]> {
  return storageCall(database, async () => {
    const giveUpAt = monotonic() + PATIENCE_MS;
    for (;;) {
      try {
        return await database.migrating((kysely) => migrateOnce(kysely, migrations, database.dialect));
      } catch (error) {
        const fault = database.dialect.faultOf(error);
        if ((fault !== 'busy' && fault !== 'crowded') || monotonic() > giveUpAt) throw error;
        await sleep(PAUSE_MS);
      }
    }
  });
}

/** The database was migrated by a newer version of this program. */
export class DatabaseTooNew extends Error {
  override readonly name = 'DatabaseTooNew';

  constructor(migration: string) {
    super(
      `the database was used by a newer version of this program (it has the migration "${migration}"): install that version, or restore a backup from before`,
    );
  }
}

/** The database refused a migration for a reason of its own. The driver's error is the cause. */
export class MigrationFailed extends Error {
  override readonly name = 'MigrationFailed';

  constructor(cause: unknown) {
    super(`the database could not be brought up to date: ${driverWords(cause) ?? 'unknown error'}`, {
      cause,
    });
  }
}
