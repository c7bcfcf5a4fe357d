import type { Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import type { CommandContext } from '../kit/command-context.ts';
import { addDevicesListCommand } from './devices-list.ts';
import { addDevicesRemoveCommand } from './devices-remove.ts';
import { addDevicesShowCommand } from './devices-show.ts';
import { addDevicesWakeCommand } from './devices-wake.ts';

/** `devices`: the phones that are registered, one for each account. */
export function addDevicesCommands(program: Command, context: CommandContext): void {
  const devices = program
    .command('devices')
    .description('the phones that are registered, one for each account')
    .addHelpText(
      'after',
      `\nExample:\n  ${PROGRAM} devices show 123456789\n  ${PROGRAM} devices wake 123456789`,
    );
  addDevicesListCommand(devices, context);
  addDevicesShowCommand(devices, context);
  addDevicesRemoveCommand(devices, context);
  addDevicesWakeCommand(devices, context);
}
