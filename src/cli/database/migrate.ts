import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import { migrate } from '../../storage/migrate.ts';
import { type CommandContext, requireDatabaseConfig } from '../kit/command-context.ts';
import { withDatabase } from '../kit/with-stores.ts';

/** `migrate`: brings the database up to date. */
export function addMigrateCommand(program: Command, context: CommandContext): void {
  program
    .command('migrate')
    .description('bring the database up to date (serve does it too, when it starts)')
    .addHelpText('after', EXAMPLES)
    .action(() => runMigrate(context));
}

const EXAMPLES = `
Examples:
  ${PROGRAM} migrate
  DATABASE_URL=sqlite:/var/lib/vialer-middleware/middleware.db ${PROGRAM} migrate`;

async function runMigrate(context: CommandContext): Promise<void> {
  const { out } = context;
  const applied = await withDatabase(
    requireDatabaseConfig(context, 'will be created'),
    (database) => migrate(database),
    {
      create: true,
    },
  );
  if (applied.length === 0) out('The database is up to date.');
  for (const name of applied) out(`Applied ${name}.`);
}
