import type { Command } from 'commander';
import { type Config, type ConfigReport, processSource, readConfig } from '../../config/config.ts';
import type { FoundSetting } from '../../config/settings-reader.ts';
import { PROGRAM } from '../../lib/program.ts';
import { shownProxyAddress } from '../../lib/proxy-address.ts';
import type { ProxyRoutes } from '../../lib/proxy-route.ts';
import { isServerAddress, readDatabaseAddress } from '../../storage/address/database-address.ts';
import { jsonOption } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, tellDatabase } from '../kit/command-context.ts';
import { counted, textTable } from '../kit/text-table.ts';

/** `config check`: every setting, where it came from, and everything that is wrong with them. */
export function addConfigCommands(program: Command, context: CommandContext): void {
  program
    .command('config')
    .description('look at the settings')
    .addHelpText('after', `\nExample:\n  ${PROGRAM} config check`)
    .command('check')
    .description('print every setting with its origin (secrets hidden), proxies, warnings and problems')
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: { readonly json?: true }) => checkConfig(context, options.json === true));
}

const EXAMPLES = `
Exit code: 0 when the service can run with these settings, 2 when not.

Examples:
  ${PROGRAM} config check
  ${PROGRAM} config check --json | jq '.settings[] | select(.from != "default")'`;

function checkConfig(context: CommandContext, json: boolean): void {
  const report = readConfig(processSource());
  if (json) context.out(JSON.stringify(reportAsJson(report), null, 2));
  else printReport(context, report);
  if (report.config !== undefined) {
    tellDatabase(context, report.config, 'will be created by serve');
    return;
  }
  throw new CommandFailed(`The settings cannot be used: ${counted(report.problems.length, 'problem')}.`, 2);
}

function reportAsJson(report: ConfigReport): object {
  return {
    usable: report.config !== undefined,
    settings: report.found.map((setting) => ({
      name: setting.name,
      value: setting.value === '' ? null : shownSetting(setting),
      from: setting.from,
      secret: setting.secret,
    })),
    destinations: report.config === undefined ? [] : reachedBy(report.config),
    warnings: report.warnings,
    problems: report.problems,
  };
}

function printReport({ out }: CommandContext, report: ConfigReport): void {
  const settings = report.found.map((setting) => [setting.name, shownSetting(setting), setting.from]);
  for (const line of textTable([['SETTING', 'VALUE', 'FROM'], ...settings])) out(line);
  if (report.config !== undefined) {
    out('');
    const rows = reachedBy(report.config).map(reachedByCells);
    for (const line of textTable([['DESTINATION', 'ORIGIN', 'REACHED'], ...rows])) out(line);
    out('');
  }
  for (const warning of report.warnings) out(`Warning: ${warning}`);
  for (const problem of report.problems) out(`Problem: ${problem}`);
  if (report.problems.length === 0) out('The settings can be used.');
}

/** How the service reaches one of the servers that it asks. */
interface ReachedBy {
  readonly destination: string;
  readonly origin: string;
  /** The proxy's origin, without credentials; null: directly. */
  readonly proxy: string | null;
  /** The setting that decides it; null: none is set. */
  readonly setting: string | null;
}

/** That of nearly all service accounts; each names its own as `token_uri`. */
const TOKEN_ENDPOINT = 'https://oauth2.googleapis.com';

/** Which proxy applies to what, for `config check`. */
function reachedBy(config: Config): readonly ReachedBy[] {
  const { proxies, accountAuth } = config;
  return [
    routeTo('APNs', config.apnsUrl, proxies.push),
    routeTo('APNs sandbox', config.apnsSandboxUrl, proxies.push),
    routeTo('FCM', config.fcmUrl, proxies.push),
    routeTo('Google access tokens', TOKEN_ENDPOINT, proxies.push),
    ...(accountAuth.kind === 'none'
      ? []
      : [routeTo('platform API', new URL(accountAuth.baseUrl).origin, proxies.accounts)]),
  ];
}

function routeTo(destination: string, origin: string, routes: ProxyRoutes): ReachedBy {
  const { proxy, setting } = routes(new URL(origin));
  return { destination, origin, proxy: proxy?.origin ?? null, setting: setting ?? null };
}

/** The same as cells of a table. */
function reachedByCells({ destination, origin, proxy, setting }: ReachedBy): readonly string[] {
  const way = proxy === null ? 'directly' : `through ${proxy}`;
  return [destination, origin, setting === null ? way : `${way} (${setting})`];
}

const HIDDEN = '(hidden)';
/** `user:password@` in a setting that takes none. */
const CREDENTIALS = /:.*@/s;

/**
 * A setting's value as a person may see it: secrets hidden, the address of a database or proxy without its password. Of an
 * address that cannot be used, any part may be a password.
 */
export function shownSetting({ name, value, secret }: FoundSetting): string {
  if (value === '') return '(not set)';
  if (!secret) return CREDENTIALS.test(value) ? HIDDEN : value;
  if (name === 'DATABASE_URL') return shownDatabaseUrl(value);
  return /_PROXY$/i.test(name) ? shownProxy(value) : HIDDEN;
}

function shownProxy(value: string): string {
  return value === 'off' ? value : (shownProxyAddress(value) ?? HIDDEN);
}

/** Without user's password and without the query, which may hold one. */
function shownDatabaseUrl(address: string): string {
  if (!isServerAddress(address)) return /^sqlite:(?!\/\/)/i.test(address) ? address : HIDDEN;
  const url = readDatabaseAddress(address).ok ? URL.parse(address) : null;
  if (url === null) return HIDDEN;
  const user = url.username === '' ? '' : `${url.username}${url.password === '' ? '' : `:${HIDDEN}`}@`;
  const query = url.search === '' ? '' : `?${HIDDEN}`;
  return `${url.protocol}//${user}${url.host}${url.pathname}${query}`;
}
