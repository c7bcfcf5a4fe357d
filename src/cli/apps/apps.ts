import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import type { CommandContext } from '../kit/command-context.ts';
import { addAppsAddCommand } from './apps-add.ts';
import { addAppsCheckCommand } from './apps-check.ts';
import { addAppsListCommand } from './apps-list.ts';
import { addAppsRemoveCommand } from './apps-remove.ts';

/** `apps`: the apps whose phones may be woken, and their credentials. */
export function addAppsCommands(program: Command, context: CommandContext): void {
  const apps = program
    .command('apps')
    .description('the apps whose phones may be woken, and their credentials')
    .addHelpText('after', `\nExample:\n  ${PROGRAM} apps list\n  ${PROGRAM} apps add --help`);
  addAppsAddCommand(apps, context);
  addAppsListCommand(apps, context);
  addAppsRemoveCommand(apps, context);
  addAppsCheckCommand(apps, context);
}
