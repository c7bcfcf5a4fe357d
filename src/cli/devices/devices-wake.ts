import { Argument, type Command } from 'commander';
import {
  readListenAddress,
  readMetricsAddress,
  readPbxToken,
  readPushSettings,
  readWaitMs,
} from '../../config/part-settings.ts';
import { type ListenAddress, readPbxListener } from '../../config/pbx-listener-settings.ts';
import { readResponseApi } from '../../config/response-api.ts';
import { readTlsSettings, type TlsSettings } from '../../config/tls-settings.ts';
import { PROGRAM } from '../../lib/program.ts';
import { accountArgument, baseUrlOption, jsonOption, wholeNumber } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, requireSettings, tellDatabase } from '../kit/command-context.ts';
import { reportDirectWake } from './report-direct-wake.ts';
import { reportServiceWake } from './report-service-wake.ts';
import { serviceTls } from './service-tls.ts';

interface WakeOptions {
  readonly via?: string;
  readonly from: string;
  readonly timeout?: number;
  readonly cert?: string;
  readonly key?: string;
  readonly direct?: true;
  readonly json?: true;
}

const MAX_TIMEOUT_MS = 120_000;
/** Beyond the wait of a call: what the way to the service and back may take. */
const ANSWER_MARGIN_MS = 5_000;
const DIRECT_LIMIT_MS = 10_000;

/** `devices wake`: a real test call, step by step. */
export function addDevicesWakeCommand(devices: Command, context: CommandContext): void {
  devices
    .command('wake')
    .description('wake a phone with a real test call, and tell how long each step took')
    .addArgument(new Argument('<account>', 'sip_user_id').argParser(accountArgument))
    .option(
      '--via <url>',
      'the running service to ask (default: HOST and PORT of the settings, or PBX_HOST and PBX_PORT)',
      baseUrlOption,
    )
    .option('--from <number>', 'who seems to call', 'anonymous')
    .option('--timeout <ms>', 'how long to wait for the end', wholeNumber(100, MAX_TIMEOUT_MS))
    .option('--cert <file>', 'the client certificate to show, where PBX_CLIENT_CA_FILE is set')
    .option('--key <file>', 'its private key')
    .option('--direct', 'push from this process; the answer of the app cannot be seen')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((account: number, options: WakeOptions) => wake(context, account, options));
}

const EXAMPLES = `
The running service is asked as a PBX asks it (with PBX_TOKEN, if set). Where none answers, the push is sent from here, as
with --direct. The phone may ring for a moment. Exit code: 0 when the app answered that it is ready (with --direct:
when the push service took the push), else 1.

Examples:
  ${PROGRAM} devices wake 123456789
  ${PROGRAM} devices wake 123456789 --via https://push.example.org --from +31201234567
  ${PROGRAM} devices wake 123456789 --direct --json`;

async function wake(context: CommandContext, account: number, options: WakeOptions): Promise<void> {
  const json = options.json === true;
  if (options.direct !== true) {
    const asking = requireSettings((reader) => ({ token: readPbxToken(reader), waitMs: readWaitMs(reader) }));
    const { baseUrl, tls } =
      options.via === undefined
        ? ownAddress(requireSettings(readOwn))
        : { baseUrl: options.via, tls: undefined };
    // Loaded only by this command, here and below: it takes longer to load than all else of a command.
    const { askService } = await import('./ask-service.ts');
    const answer = await askService({
      baseUrl,
      account,
      phoneNumber: options.from,
      pbxToken: asking.token,
      tls: serviceTls(tls, options),
      timeoutMs: options.timeout ?? asking.waitMs + ANSWER_MARGIN_MS,
    });
    if (answer.kind === 'ended') {
      reportServiceWake(context, { account, baseUrl, json, answer });
      return;
    }
    context.err(`No service answers at ${baseUrl} (${answer.why}): pushing from here.`);
  }
  const timeoutMs = options.timeout ?? DIRECT_LIMIT_MS;
  const config = requireSettings((reader) => ({
    ...readPushSettings(reader),
    responseApi: readResponseApi(reader, readListenAddress(reader)),
  }));
  tellDatabase(context, config, 'no such file');
  const { wakeDirectly } = await import('./wake-directly.ts');
  const wakened = await wakeDirectly(config, { account, phoneNumber: options.from, timeoutMs });
  reportDirectWake(context, { account, json, wake: wakened });
}

/** How the service of these settings listens. */
interface OwnService extends TlsSettings {
  readonly main: ListenAddress;
  readonly pbxListener: ListenAddress | undefined;
}

const readOwn: Parameters<typeof requireSettings<OwnService>>[0] = (reader, source) => {
  const main = readListenAddress(reader);
  const pbxListener = readPbxListener(reader, { main, metrics: readMetricsAddress(reader) });
  return { main, pbxListener, ...readTlsSettings(reader, source) };
};

/** Where it is asked by PBXs, as seen from its own machine. */
function ownAddress({ main, pbxListener, tls }: OwnService): TlsSettings & { readonly baseUrl: string } {
  const { host, port } = pbxListener ?? main;
  if (port === 0) {
    const setting = pbxListener === undefined ? 'PORT' : 'PBX_PORT';
    throw new CommandFailed(`${setting}=0 does not tell where the service is: give --via or --direct.`, 2);
  }
  const reachable = host === '0.0.0.0' ? '127.0.0.1' : host === '::' ? '::1' : host;
  const scheme = tls === undefined ? 'http' : 'https';
  const baseUrl = `${scheme}://${reachable.includes(':') ? `[${reachable}]` : reachable}:${port}/`;
  return { baseUrl, tls };
}
