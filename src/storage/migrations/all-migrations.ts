import type { Migration } from 'kysely/migration';
import type { SqlDialect } from '../database.ts';
import { appsAndDevices } from './001-apps-and-devices.ts';
import { providerTokens } from './002-provider-tokens.ts';

/** Kysely's own name for the table of what was applied; changing it would apply everything again. */
export const HISTORY_TABLE = 'kysely_migration';

/** Every migration by its name; names sort in the order in which they run, and are never changed after a release. */
export function allMigrations(dialect: SqlDialect): Readonly<Record<string, Migration>> {
  return {
    '001-apps-and-devices': appsAndDevices(dialect),
    '002-provider-tokens': providerTokens(dialect),
  };
}
