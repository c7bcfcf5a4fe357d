import { Argument, type Command } from 'commander';
import { PROGRAM } from '../../lib/program.ts';
import { accountArgument, jsonOption } from '../kit/arguments.ts';
import { type CommandContext, requireDatabaseConfig } from '../kit/command-context.ts';
import { textTable } from '../kit/text-table.ts';
import { withStores } from '../kit/with-stores.ts';
import { type DeviceView, deviceView, noDevice } from './device-view.ts';

interface ShowOptions {
  readonly showNames?: true;
  readonly json?: true;
}

/** `devices show`: everything known of one account's phone. */
export function addDevicesShowCommand(devices: Command, context: CommandContext): void {
  devices
    .command('show')
    .description("show what is known of an account's phone (push tokens as short hashes)")
    .addArgument(new Argument('<account>', 'sip_user_id').argParser(accountArgument))
    .option('--show-names', "show the phone's name, which is mostly its owner's")
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((account: number, options: ShowOptions) => showDevice(context, account, options));
}

const EXAMPLES = `
Examples:
  ${PROGRAM} devices show 123456789
  ${PROGRAM} devices show 123456789 --json`;

async function showDevice(context: CommandContext, account: number, options: ShowOptions): Promise<void> {
  const { out } = context;
  const device = await withStores(requireDatabaseConfig(context), ({ devices }) => devices.find(account));
  if (device === undefined) throw noDevice(account);
  const view = deviceView(device, { showName: options.showNames === true });
  if (options.json === true) out(JSON.stringify(view, null, 2));
  else for (const line of textTable(rowsOf(view))) out(line);
}

function rowsOf(view: DeviceView): readonly (readonly [string, string])[] {
  return [
    ['account', String(view.account)],
    ['platform', view.platform],
    ['app id', view.appId],
    ['push token', view.token],
    ['Apple sandbox', view.sandbox === null ? '(the app did not say)' : view.sandbox ? 'yes' : 'no'],
    ['push profile', view.pushProfile ?? '(none)'],
    ['notification token', view.remoteNotificationToken ?? '(none)'],
    ['name', view.name ?? '(none)'],
    ['os version', view.osVersion ?? '(none)'],
    ['client version', view.clientVersion ?? '(none)'],
    ['remote logging id', view.remoteLoggingId ?? '(none)'],
    ['registered', view.registeredAt],
    ['last seen', view.lastSeenAt],
  ];
}
