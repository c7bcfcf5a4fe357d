import type { Command } from 'commander';
import { MAX_DEVICE_PAGE } from '../../devices/device-store.ts';
import { PROGRAM } from '../../lib/program.ts';
import { accountArgument, jsonOption, wholeNumber } from '../kit/arguments.ts';
import { type CommandContext, requireDatabaseConfig } from '../kit/command-context.ts';
import { textTable } from '../kit/text-table.ts';
import { withStores } from '../kit/with-stores.ts';
import { type DeviceView, deviceView } from './device-view.ts';

interface ListOptions {
  readonly after?: number;
  readonly limit: number;
  readonly showNames?: true;
  readonly json?: true;
}

const DEFAULT_PAGE = 100;

/** `devices list`: a page of the registered phones, by account. */
export function addDevicesListCommand(devices: Command, context: CommandContext): void {
  devices
    .command('list')
    .description('list the registered phones by account (push tokens as short hashes)')
    .option('--after <account>', 'begin behind this account', accountArgument)
    .option(
      '--limit <count>',
      `how many, up to ${MAX_DEVICE_PAGE}`,
      wholeNumber(1, MAX_DEVICE_PAGE),
      DEFAULT_PAGE,
    )
    .option('--show-names', "show the phones' names, which are mostly their owners'")
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: ListOptions) => listDevices(context, options));
}

const EXAMPLES = `
Examples:
  ${PROGRAM} devices list
  ${PROGRAM} devices list --limit 1000 --after 123456789 --json`;

async function listDevices(context: CommandContext, options: ListOptions): Promise<void> {
  const { after, limit } = options;
  const page = await withStores(requireDatabaseConfig(context), ({ devices }) =>
    devices.list({ limit, ...(after === undefined ? {} : { afterAccount: after }) }),
  );
  const views = page.map((device) => deviceView(device, { showName: options.showNames === true }));
  if (options.json === true) context.out(JSON.stringify(views, null, 2));
  else print(context, views, options);
}

function print({ out }: CommandContext, views: readonly DeviceView[], options: ListOptions): void {
  const last = views.at(-1);
  if (last === undefined) {
    out(options.after === undefined ? 'No devices are registered.' : 'No further devices are registered.');
    return;
  }
  const names = options.showNames === true;
  const heading = [
    'ACCOUNT',
    'PLATFORM',
    'APP ID',
    'TOKEN',
    'REGISTERED',
    'LAST SEEN',
    ...(names ? ['NAME'] : []),
  ];
  const rows = views.map((view) => [
    String(view.account),
    view.sandbox === true && view.platform === 'apns' ? 'apns sandbox' : view.platform,
    view.appId,
    view.token,
    view.registeredAt,
    view.lastSeenAt,
    ...(names ? [view.name ?? ''] : []),
  ]);
  for (const line of textTable([heading, ...rows])) out(line);
  if (views.length === options.limit) out(`There may be more: devices list --after ${last.account}`);
}
