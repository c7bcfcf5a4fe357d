import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type RunningApp, startApp } from '../app.ts';
import { type Config, readConfig } from '../config/config.ts';
import { monotonic } from '../lib/monotonic.ts';
import { askPbx } from '../sandbox/pbx.ts';
import { createPhone, type PhoneOptions, type PhoneStep } from '../sandbox/phone.ts';
import { startWorld, type World } from '../sandbox/world.ts';
import { createLog } from '../telemetry/log.ts';
import { type CommandContext, CommandFailed, tellDatabase } from './command-context.ts';
import { addSandboxApps, SANDBOX_APPS } from './sandbox-apps.ts';
import { trustSandbox } from './trust-sandbox.ts';

const IPHONE = { kind: 'ios', account: 100_000_001, token: 'a1'.repeat(32), name: 'iPhone' } as const;
const ANDROID = {
  kind: 'android',
  account: 100_000_002,
  token: 'fcm:demo-token',
  name: 'Android phone',
} as const;
const CALLER = { phoneNumber: '+31201234567', callerId: 'Front desk' };

/** The work of `demo`. */
export async function runDemo(context: CommandContext): Promise<void> {
  await using stack = new AsyncDisposableStack();
  const folder = stack.adopt(await mkdtemp(join(tmpdir(), 'vialer-middleware-demo-')), (path) =>
    rm(path, { recursive: true, force: true }),
  );
  const world = stack.adopt(await startWorld(), (running) => running.close());
  trustSandbox(world.ca.certificate);
  const config = demoConfig(world, `sqlite:${join(folder, 'demo.db')}`);
  tellDatabase(context, config, 'will be created');
  await addSandboxApps(config.databaseUrl, world);
  const app = stack.adopt(
    await startApp(config, (onDropped) => createLog({ level: 'error', format: 'json', onDropped })),
    (running) => running.stop(),
  );
  context.out(
    'Apple, Google and the platform API run on loopback; the service talks to them over HTTP/2 and TLS.',
  );
  await wakeOne(context, world, app, IPHONE);
  await wakeOne(context, world, app, ANDROID);
  context.out('\nBoth phones were woken. Next: README.md, "Run it".');
}

function demoConfig(world: World, databaseUrl: string): Config {
  const env = {
    ...world.settings,
    DATABASE_URL: databaseUrl,
    ACCOUNT_AUTH: 'voipgrid',
    PORT: '0',
    PROMETHEUS_PORT: '0',
  };
  const report = readConfig({ env, readFile: () => '', openFiles: 1024 });
  if (report.config === undefined) throw new CommandFailed(report.problems.join('\n'));
  return report.config;
}

async function wakeOne(
  context: CommandContext,
  world: World,
  app: RunningApp,
  who: Pick<PhoneOptions, 'kind' | 'account' | 'token'> & { readonly name: string },
): Promise<void> {
  const user = `${who.kind}@example.com`;
  const { token: authorization } = world.platform.addUser({
    ...who,
    user,
    password: 'demo',
    token: 'demo-token',
  });
  let startedAt = monotonic();
  const tell = (words: string, at: number) =>
    context.out(`${(at - startedAt).toFixed(0).padStart(7)} ms  ${words}`);
  const phone = createPhone({
    ...who,
    app: who.kind === 'ios' ? SANDBOX_APPS.apns : SANDBOX_APPS.android,
    server: app.url,
    authorization,
    wakeUpMs: 600,
    onStep: (step) => {
      const words = stepWords(step);
      if (words !== undefined) tell(words, step.at);
    },
  });
  try {
    context.out(`\n${who.name}, account ${who.account}`);
    const registered = await phone.register();
    tell(`the app registers its push token: ${registered.status}`, monotonic());
    phone.listen(who.kind === 'ios' ? world.apple : world.google);

    startedAt = monotonic();
    tell(`the PBX asks for the phone: POST /api/incoming-call/`, startedAt);
    const answer = await askPbx({ url: app.pbxUrl, account: who.account, ...CALLER });
    tell(`the PBX hears ${answer.body} (${answer.outcome ?? 'no outcome'})`, monotonic());
    if (answer.body !== 'status=ACK')
      throw new CommandFailed(`The ${who.name} was not woken: ${answer.outcome}`);
  } finally {
    phone.close();
  }
}

function stepWords(step: PhoneStep): string | undefined {
  switch (step.kind) {
    case 'push-received':
      return 'the push reaches the phone; its app starts';
    case 'push-ignored':
      return `the app ignores a push: ${step.why}`;
    case 'crashed':
      return `the app crashes over ${step.field}`;
    case 'answering':
      return 'the app has registered with SIP and answers: POST /api/call-response/';
    case 'answered':
      return step.status === 202 ? undefined : `the app is told ${step.status}`;
    case 'answer-failed':
      return `the app's answer is lost: ${step.error.message}`;
    default:
      return step satisfies never;
  }
}
