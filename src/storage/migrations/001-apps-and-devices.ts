import { type Kysely, sql } from 'kysely';
import type { Migration } from 'kysely/migration';
import type { SqlDialect } from '../database.ts';

async function createApps(db: Kysely<unknown>, { columns }: SqlDialect): Promise<void> {
  await db.schema
    .createTable('apps')
    .ifNotExists()
    .addColumn('id', columns.rowId, (column) => columns.countedUp(column.primaryKey()))
    .addColumn('platform', columns.exactText(20), (column) => column.notNull())
    .addColumn('app_id', columns.exactText(255), (column) => column.notNull())
    .addColumn('credential', columns.longText, (column) => column.notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .addColumn('created_at', 'bigint', (column) => column.notNull())
    .addColumn('updated_at', 'bigint', (column) => column.notNull())
    .addUniqueConstraint('apps_platform_app_id', ['platform', 'app_id'])
    .execute();
  await db.schema
    .createTable('app_changes')
    .ifNotExists()
    .addColumn('id', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('revision', 'bigint', (column) => column.notNull())
    .execute();
  const counters = await sql`select id from app_changes`.execute(db);
  if (counters.rows.length > 0) return;
  await sql`insert into app_changes (id, revision) values (1, 0)`.execute(db);
}

async function createDevices(
  db: Kysely<unknown>,
  { columns, indexesForeignKeys }: SqlDialect,
): Promise<void> {
  await db.schema
    .createTable('devices')
    .ifNotExists()
    .addColumn('account', 'integer', (column) => column.primaryKey().notNull())
    .addColumn('app_key', columns.rowId, (column) => column.notNull())
    .addColumn('token', columns.exactText(250), (column) => column.notNull())
    .addColumn('sandbox', 'smallint')
    .addColumn('name', columns.exactText(255))
    .addColumn('os_version', columns.exactText(255))
    .addColumn('client_version', columns.exactText(255))
    .addColumn('remote_logging_id', columns.exactText(255))
    .addColumn('push_profile', columns.exactText(255))
    .addColumn('remote_notification_token', columns.exactText(255))
    .addColumn('registered_at', 'bigint', (column) => column.notNull())
    .addColumn('last_seen_at', 'bigint', (column) => column.notNull())
    .addForeignKeyConstraint('devices_app_key', ['app_key'], 'apps', ['id'])
    .execute();
  if (indexesForeignKeys) return;
  await db.schema.createIndex('devices_by_app').ifNotExists().on('devices').column('app_key').execute();
}

/**
 * The first tables: apps with the counter of their changes, and devices. MySQL commits every statement by itself, so
 * a migration there goes on where an interrupted one stopped: each of its steps is left out where it is done.
 */
export function appsAndDevices(dialect: SqlDialect): Migration {
  return {
    up: async (db) => {
      await createApps(db, dialect);
      await createDevices(db, dialect);
    },
  };
}
