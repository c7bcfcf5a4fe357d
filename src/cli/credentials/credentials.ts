import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import type { CommandContext } from '../kit/command-context.ts';
import { addCredentialsRotateCommand } from './credentials-rotate.ts';
import { addCredentialsStatusCommand } from './credentials-status.ts';

/** `credentials`: how the credentials of apps are encrypted in the database. */
export function addCredentialsCommands(program: Command, context: CommandContext): void {
  const credentials = program
    .command('credentials')
    .description('how the credentials of apps are encrypted in the database')
    .addHelpText('after', `\nExample:\n  ${PROGRAM} credentials status`);
  addCredentialsRotateCommand(credentials, context);
  addCredentialsStatusCommand(credentials, context);
}
