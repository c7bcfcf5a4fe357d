import { Argument, type Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import { accountArgument } from '../kit/arguments.ts';
import { type CommandContext, requireDatabaseConfig } from '../kit/command-context.ts';
import { withStores } from '../kit/with-stores.ts';
import { noDevice } from './device-view.ts';

/** `devices remove`: forgets an account's phone. */
export function addDevicesRemoveCommand(devices: Command, context: CommandContext): void {
  devices
    .command('remove')
    .description("forget an account's phone; its app registers it again when it is next opened")
    .addArgument(new Argument('<account>', 'sip_user_id').argParser(accountArgument))
    .addHelpText('after', EXAMPLES)
    .action((account: number) => removeDevice(context, account));
}

const EXAMPLES = `
Examples:
  ${PROGRAM} devices remove 123456789`;

async function removeDevice(context: CommandContext, account: number): Promise<void> {
  const { out } = context;
  const removed = await withStores(requireDatabaseConfig(context), ({ devices }) => devices.remove(account));
  if (!removed) throw noDevice(account);
  out(`Removed the device of account ${account}.`);
}
