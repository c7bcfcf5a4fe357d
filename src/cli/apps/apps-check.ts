import type { Command } from 'commander';
import type { App } from '../../apps/app.ts';
import type { Platform } from '../../apps/platform.ts';
import { type PushSettings, readPushSettings } from '../../config/part-settings.ts';
import { PROGRAM } from '../../lib/program.ts';
import { appIdOption, jsonOption, platformOption } from '../kit/arguments.ts';
import { type CommandContext, CommandFailed, requireSettings, tellDatabase } from '../kit/command-context.ts';
import { counted, textTable } from '../kit/text-table.ts';
import { withProgress } from '../kit/with-progress.ts';
import { withStores } from '../kit/with-stores.ts';
import { type ProbedApp, probeApp } from './probe-app.ts';
import { requireSharedTokens } from './require-shared-tokens.ts';

interface CheckOptions {
  readonly platform?: Platform;
  readonly appId?: string;
  readonly sandbox?: true;
  readonly json?: true;
}

/** `apps check`: whether the push services accept the stored credentials. */
export function addAppsCheckCommand(apps: Command, context: CommandContext): void {
  apps
    .command('check')
    .description('check the stored credentials, and ask Apple and Google whether they accept them')
    .addOption(platformOption())
    .addOption(appIdOption())
    .option('--sandbox', "ask Apple's sandbox instead of production")
    .addOption(jsonOption())
    .addHelpText('after', EXAMPLES)
    .action((options: CheckOptions) => checkApps(context, options));
}

const EXAMPLES = `
Each app pushes to a token that no phone has. Nobody is disturbed: a complaint about that token (BadDeviceToken,
INVALID_ARGUMENT) means that the credential itself is accepted. Exit code: 0 when every app is ok, else 1.

Examples:
  ${PROGRAM} apps check
  ${PROGRAM} apps check --platform apns --app-id com.example.phone --sandbox`;

async function checkApps(context: CommandContext, options: CheckOptions): Promise<void> {
  const config = requireSettings(readPushSettings);
  tellDatabase(context, config, 'no such file');
  const apps = await withStores(config, async (stores) => {
    const wanted = chosen(await stores.apps.list(), options);
    await requireSharedTokens(stores, wanted);
    return wanted;
  });
  const probed = await probeAll(config, apps, options.sandbox === true);
  if (options.json === true) context.out(JSON.stringify(probed, null, 2));
  else print(context, probed);
  const bad = probed.filter(({ status }) => status !== 'ok').length;
  if (bad > 0) throw new CommandFailed(`${bad} of ${counted(probed.length, 'app')} cannot be relied on.`);
}

function chosen(all: readonly App[], { platform, appId }: CheckOptions): readonly App[] {
  const apps = all
    .filter((app) => platform === undefined || app.platform === platform)
    .filter((app) => appId === undefined || app.appId === appId);
  if (apps.length === 0 && (platform ?? appId) !== undefined) {
    throw new CommandFailed(`There is no such app. See: ${PROGRAM} apps list`);
  }
  return apps;
}

/** One after the other, so that what a connection says can be told from what the next one says. */
async function probeAll(
  config: PushSettings,
  apps: readonly App[],
  sandbox: boolean,
): Promise<readonly ProbedApp[]> {
  // Loaded only by commands that push: it takes longer to load than all else of a command.
  const { createDirectPusher } = await import('../devices/direct-pusher.ts');
  const pusher = createDirectPusher(config);
  const probed: ProbedApp[] = [];
  const probeEach = async () => {
    for (const app of apps) probed.push(await probeApp(app, { pusher, sandbox, now: Date.now() }));
  };
  try {
    await withProgress(() => `${probed.length} of ${counted(apps.length, 'app')} checked`, probeEach);
    return probed;
  } finally {
    await pusher.close();
  }
}

function answerOf({ said, detail }: ProbedApp): string {
  return detail === null ? (said ?? '(not asked)') : `${said} (${detail})`;
}

function print({ out }: CommandContext, probed: readonly ProbedApp[]): void {
  if (probed.length === 0) {
    out(`There are no apps. See: ${PROGRAM} apps add --help`);
    return;
  }
  const heading = ['STATUS', 'PLATFORM', 'APP ID', 'TOOK', 'ANSWER', 'MEANING'];
  const rows = probed.map((app) => [
    app.status,
    app.platform,
    app.appId,
    `${app.tookMs} ms`,
    answerOf(app),
    app.explanation,
  ]);
  for (const line of textTable([heading, ...rows])) out(line);
  for (const { platform, appId, notes } of probed) {
    for (const note of notes) out(`Note: ${platform} app ${appId}: ${note}.`);
  }
}
