import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { processSource } from '../../config/config.ts';
import { readProxySettings } from '../../config/proxy-settings.ts';
import { SettingsReader } from '../../config/settings-reader.ts';
import { errorCode } from '../../lib/error-code.ts';
import { makeFolder } from '../../lib/make-folder.ts';
import type { DeliveredPush, PushSource } from '../../sandbox/push-log.ts';
import { startWorld, type World } from '../../sandbox/world.ts';
import { type CommandContext, CommandFailed, tellDatabase } from '../kit/command-context.ts';
import { lockFolder } from '../sandbox-lock.ts';
import { addSandboxApps, SANDBOX_APPS } from './sandbox-apps.ts';
import type { ScriptedFault } from './sandbox-fault.ts';
import { createForward } from './sandbox-forward.ts';
import { behaviourFor, type PhoneRule, refusalFor } from './sandbox-phone-rules.ts';
import { startPhones } from './sandbox-phones.ts';
import { howToAnswer, howToTry, shellWord, shortToken, shownPayload } from './sandbox-words.ts';

/** How long calls wait if a person answers them by hand: the default is too short for copying a command. */
const PERSON_WAIT_MS = 30_000;

/** The options of `sandbox`. */
export interface SandboxOptions {
  /** An absolute path. */
  readonly folder: string;
  /** The first of four ports in a row; free ones, unless given. */
  readonly portBase: number | undefined;
  readonly phones: readonly PhoneRule[] | 'none';
  readonly faults: readonly ScriptedFault[];
  readonly forward: string | undefined;
}

/** The work of `sandbox`. */
export async function runSandbox(context: CommandContext, options: SandboxOptions): Promise<void> {
  const { folder } = options;
  const held = await makeFolder(folder)
    .then(() => lockFolder(folder))
    .catch(throwNoFolder(folder));
  await using stack = new AsyncDisposableStack();
  stack.adopt(held, (lock) => lock.close());
  const say = (words: string) => context.out(`# ${words}`);
  const world = await startSandboxWorld(options, say);
  stack.adopt(world, (running) => running.close());
  const settings = await writeFiles(context, world, options).catch(throwNoFolder(folder));
  for (const [name, value] of settings) context.out(`export ${name}=${shellWord(value)}`);
  const personWaitMs = options.phones === 'none' ? PERSON_WAIT_MS : undefined;
  for (const line of howToTry({ folder, apps: SANDBOX_APPS, personWaitMs })) say(line);
  for (const { fault, scope } of options.faults) {
    for (const push of [world.apple, world.appleSandbox, world.google]) push.script(fault, scope);
  }
  const forward =
    options.forward === undefined
      ? undefined
      : stack.adopt(createForward(options.forward, say), (each) => each.close());
  const behaviourOf = behaviourFor(options.phones);
  const receive = (service: string, kind: 'ios' | 'android', source: PushSource) => {
    source.onAnyPush((push: DeliveredPush) => {
      say(`${service}: push to ${shortToken(push.token)} ${shownPayload(push.payload)}`);
      if (behaviourOf(push.token) === 'none') for (const line of howToAnswer(push.payload)) say(line);
      forward?.push(service, push);
    });
    startPhones(kind, source, behaviourOf, (words) => say(`${service}: ${words}`));
  };
  receive('APNs', 'ios', world.apple);
  receive('APNs sandbox', 'ios', world.appleSandbox);
  receive('FCM', 'android', world.google);
  await stopSignal();
}

function throwNoFolder(folder: string) {
  return (error: unknown) => {
    if (error instanceof CommandFailed) throw error;
    const why = errorCode(error) ?? (error instanceof Error ? error.message : 'unknown error');
    const message = `--folder: ${folder} cannot be created or written (${why}): give another one.`;
    throw new CommandFailed(message, 2, { cause: error });
  };
}

async function startSandboxWorld(options: SandboxOptions, say: (words: string) => void): Promise<World> {
  const behaviourOf = behaviourFor(options.phones);
  const hooks = (push: 'apns' | 'fcm', service: string) => ({
    faultFor: (token: string) => refusalFor(push, behaviourOf(token)),
    onTrouble: (token: string, words: string) =>
      say(`${service}: push to ${shortToken(token)} meets ${words}`),
  });
  const { portBase } = options;
  try {
    return await startWorld({
      portBase,
      apple: hooks('apns', 'APNs'),
      google: hooks('fcm', 'FCM'),
      platform: { everyAccount: true },
    });
  } catch (error) {
    const isTaken = errorCode(error) === 'EADDRINUSE';
    if (portBase === undefined || !isTaken) throw error;
    const port = error instanceof Error && 'port' in error ? `port ${error.port}` : 'a port';
    throw new CommandFailed(
      `--port-base: ${port} of ${portBase} to ${portBase + 3} is in use on 127.0.0.1: stop that program or give another base.`,
      1,
      { cause: error },
    );
  }
}

/** Writes certificate, database and the settings into the folder; gives the settings. */
async function writeFiles(
  context: CommandContext,
  world: World,
  { folder, phones }: SandboxOptions,
): Promise<readonly (readonly [string, string])[]> {
  const caFile = join(folder, 'ca.pem');
  const databaseUrl = `sqlite:${join(folder, 'sandbox.db')}`;
  await writeFile(caFile, world.ca.certificate);
  tellDatabase(context, { databaseUrl }, 'will be created');
  await addSandboxApps(databaseUrl, world);
  const settings = Object.entries({
    NODE_EXTRA_CA_CERTS: caFile,
    ...world.settings,
    ACCOUNT_AUTH: 'voipgrid',
    DATABASE_URL: databaseUrl,
    ...(phones === 'none' ? { APP_PUSH_ROUNDTRIP_WAIT: String(PERSON_WAIT_MS) } : {}),
    ...aroundProxies(world),
  });
  const lines = settings.map(([name, value]) => `${name}=${shellWord(value)}\n`);
  await writeFile(join(folder, 'sandbox.env'), lines.join(''));
  return settings;
}

/**
 * Where this shell's variables name a forward proxy, which does not reach our loopback: a no_proxy for the stand-ins. In
 * lower case, because that wins over NO_PROXY.
 */
function aroundProxies({ settings }: World): { readonly no_proxy?: string } {
  const { env } = processSource();
  const reader = new SettingsReader(processSource());
  const { proxies } = readProxySettings(reader, settings.VG_API_BASE_URL);
  const routes = [
    proxies.push(new URL(settings.APNS_URL)),
    proxies.push(new URL(settings.FCM_URL)),
    proxies.accounts(new URL(settings.VG_API_BASE_URL)),
  ];
  if (routes.every(({ proxy }) => proxy === undefined)) return {};
  const before = (env['no_proxy'] ?? env['NO_PROXY'] ?? '').split(/[\s,]+/).filter((entry) => entry !== '');
  return { no_proxy: [...before, 'localhost', '127.0.0.1'].join(',') };
}

function stopSignal(): Promise<void> {
  return new Promise((resolveSignal) => {
    // Signals do not keep a process alive; the stand-ins' listeners do.
    process.once('SIGINT', () => resolveSignal());
    process.once('SIGTERM', () => resolveSignal());
  });
}
