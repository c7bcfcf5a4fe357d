import type { Config } from '../../config/config.ts';
import { PROGRAM } from '../../lib/program.ts';
import type { Database } from '../../storage/database.ts';
import { DatabaseMissing } from '../../storage/database-missing.ts';
import { migrate } from '../../storage/migrate.ts';
import { type CommandContext, CommandFailed } from '../kit/command-context.ts';
import { withDatabase } from '../kit/with-stores.ts';

/**
 * Opens the database that is imported into. A dry run needs none: without one, `work` gets an empty one in memory.
 * Rejects as `withDatabase` does.
 */
export const withTarget = async (
  { err }: CommandContext,
  place: Pick<Config, 'databaseUrl' | 'databaseSetting'>,
  { apply }: { readonly apply: boolean },
  work: (database: Database) => Promise<void>,
): Promise<void> => {
  try {
    await withDatabase(place, work);
  } catch (error) {
    if (apply || !(error instanceof CommandFailed && error.cause instanceof DatabaseMissing)) throw error;
    err(`Note: ${error.cause.message}; before --apply, make it: ${PROGRAM} migrate`);
    const inMemory = { ...place, databaseUrl: 'sqlite::memory:' };
    const migrated = async (database: Database) => {
      await migrate(database);
      await work(database);
    };
    await withDatabase(inMemory, migrated, { create: true });
  }
};
