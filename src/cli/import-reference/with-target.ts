import { stat } from 'node:fs/promises';
import type { Config } from '../../config/config.ts';
import type { Database } from '../../storage/database.ts';
import { migrate, migrationState } from '../../storage/migrate.ts';
import { CommandFailed } from '../command-context.ts';
import { withDatabase } from '../with-stores.ts';

type Place = Pick<Config, 'databaseUrl' | 'databaseSetting'>;

const isMissingFile = async (url: string): Promise<boolean> => {
  const path = /^sqlite:(.+)$/i.exec(url)?.[1];
  if (path === undefined) return false;
  return stat(path).then(
    () => false,
    (error: unknown) => error instanceof Error && 'code' in error && error.code === 'ENOENT',
  );
};

const withMigrated = (place: Place, work: (database: Database) => Promise<void>): Promise<void> =>
  withDatabase(place, async (database) => {
    await migrate(database);
    await work(database);
  });

/**
 * Opens the database that is imported into. A dry run makes nothing in it: where it is missing or has none of our tables,
 * `work` gets an empty one in memory. Rejects as `withDatabase` does.
 */
export const withTarget = async (
  place: Place,
  { apply }: { readonly apply: boolean },
  work: (database: Database) => Promise<void>,
): Promise<void> => {
  if (apply) return withMigrated(place, work);
  const empty = { ...place, databaseUrl: 'sqlite::memory:' };
  if (await isMissingFile(place.databaseUrl)) return withMigrated(empty, work);
  const state = await withDatabase(place, async (database) => {
    const found = await migrationState(database);
    if (found === 'current') await work(database);
    return found;
  });
  if (state === 'empty') return withMigrated(empty, work);
  if (state === 'behind')
    throw new CommandFailed('The database must be brought up to date first: vialer-middleware migrate');
};
