import type { Command } from 'commander';
import type { Platform } from '../../apps/platform.ts';
import { PROGRAM } from '../../lib/program.ts';
import { appIdOption, platformOption } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, requireDatabaseConfig } from '../kit/command-context.ts';
import { counted } from '../kit/text-table.ts';
import { withStores } from '../kit/with-stores.ts';

interface RemoveOptions {
  readonly platform: Platform;
  readonly appId: string;
  readonly force?: true;
}

/** `apps remove`: an app that has devices only with `--force`. */
export function addAppsRemoveCommand(apps: Command, context: CommandContext): void {
  apps
    .command('remove')
    .description('remove an app and its credential')
    .addOption(platformOption().makeOptionMandatory())
    .addOption(appIdOption().makeOptionMandatory())
    .option('--force', 'also when devices are registered for it; they are removed with it')
    .addHelpText('after', EXAMPLES)
    .action((options: RemoveOptions) => removeApp(context, options));
}

const EXAMPLES = `
Phones of a removed app cannot be woken, and cannot register until it is added again.

Examples:
  ${PROGRAM} apps remove --platform gcm --app-id com.example.oldphone
  ${PROGRAM} apps remove --platform gcm --app-id com.example.oldphone --force`;

async function removeApp(context: CommandContext, options: RemoveOptions): Promise<void> {
  const { out } = context;
  const { platform, appId, force = false } = options;
  const result = await withStores(requireDatabaseConfig(context), ({ apps }) =>
    apps.remove(platform, appId, { force }),
  );
  switch (result.kind) {
    case 'removed':
      out(`Removed the ${platform} app ${appId} and its ${counted(result.devices, 'registered device')}.`);
      return;
    case 'in-use':
      throw new CommandFailed(
        `The ${platform} app ${appId} has ${counted(result.devices, 'registered device')}; to remove all of it, add --force.`,
      );
    case 'unknown':
      throw unknownApp(platform, appId);
    default:
      return result satisfies never;
  }
}

/** No app of that platform and id is in the database. */
function unknownApp(platform: Platform, appId: string): CommandFailed {
  return new CommandFailed(`There is no ${platform} app ${appId}. See: ${PROGRAM} apps list`);
}
