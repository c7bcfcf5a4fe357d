import { mkdtempSync, rmSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { styleText } from 'node:util';
import { type Config, readConfig } from '../../config/config.ts';
import { monotonic } from '../../lib/monotonic.ts';
import { askPbx, type PbxAnswer } from '../../sandbox/pbx.ts';
import { createPhone, type PhoneOptions, type PhoneStep } from '../../sandbox/phone.ts';
import { startWorld, type World } from '../../sandbox/world.ts';
import { type RunningService, startService } from '../../service/start-service.ts';
import { createLog } from '../../telemetry/log.ts';
import { type CommandContext, CommandFailed, tellDatabase } from '../kit/command-context.ts';
import { addSandboxApps, SANDBOX_APPS, trustSandbox } from '../sandbox/sandbox-apps.ts';

interface DemoPhone extends Pick<PhoneOptions, 'kind' | 'account' | 'token'> {
  readonly name: string;
}

const IPHONE: DemoPhone = { kind: 'ios', account: 100_000_001, token: 'a1'.repeat(32), name: 'iPhone' };
const ANDROID: DemoPhone = {
  kind: 'android',
  account: 100_000_002,
  token: 'fcm:demo-token',
  name: 'Android phone',
};
const DELETED: DemoPhone = {
  kind: 'android',
  account: 100_000_003,
  token: 'fcm:dead-token',
  name: 'Android phone without the app',
};
const CALLER = { phoneNumber: '+31201234567', callerId: 'Front desk' };

/** A folder that goes with this process, also if that is interrupted or its reader leaves (`… | head`). */
function makePassingFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'vialer-middleware-demo-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => process.exit(128 + constants.signals[signal]));
  return folder;
}

/** The work of `demo`. */
export async function runDemo(context: CommandContext): Promise<void> {
  const folder = makePassingFolder();
  await using stack = new AsyncDisposableStack();
  const world = stack.adopt(await startWorld(), (running) => running.close());
  trustSandbox(world.ca.certificate);
  const config = demoConfig(world, `sqlite:${join(folder, 'demo.db')}`);
  tellDatabase(context, config, 'will be created');
  await addSandboxApps(config.databaseUrl, world);
  const running = stack.adopt(
    await startService(config, (onDropped) => createLog({ level: 'error', format: 'json', onDropped })),
    (running) => running.stop(),
  );
  context.out(
    'Apple, Google and the platform API run on loopback; the service talks to them over HTTP/2 and TLS.',
  );
  context.out('Times count from the request of the PBX.');
  for (const phone of [IPHONE, ANDROID]) {
    const { outcome } = await callOne(context, world, running, phone);
    if (outcome !== 'ready') throw new CommandFailed(`The ${phone.name} was not woken: ${outcome}.`);
  }
  const { outcome } = await callOne(context, world, running, DELETED);
  if (outcome !== 'token-gone') throw new CommandFailed(`The dead push token went unnoticed: ${outcome}.`);
  context.out(WHY_NOT);
  context.out('\nTwo phones were woken, one could not be. Next: README.md, "Make a call yourself".');
}

const WHY_NOT = `            It does not ring: its user deleted the app after it had registered, and Google answers that the push
            token is dead. So the PBX hears NAK at once, with the reason in the header X-Wake-Outcome, and can
            try voicemail. docs/outcomes.md explains every outcome.`;

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

/** Registers a phone and calls it. Lines are in colour on a terminal, unless NO_COLOR is set. */
async function callOne(
  context: CommandContext,
  world: World,
  running: RunningService,
  who: DemoPhone,
): Promise<PbxAnswer> {
  const user = `${who.kind}@example.com`;
  const { token: authorization } = world.platform.addUser({
    ...who,
    user,
    password: 'demo',
    token: 'demo-token',
  });
  let startedAt = monotonic();
  const tell = (words: string, at: number) =>
    context.out(`${styleText('dim', `${(at - startedAt).toFixed(0).padStart(7)} ms`)}  ${words}`);
  const phone = createPhone({
    ...who,
    app: who.kind === 'ios' ? SANDBOX_APPS.apns : SANDBOX_APPS.android,
    server: running.url,
    authorization,
    wakeUpMs: 600,
    onStep: (step) => {
      const words = stepWords(step);
      if (words !== undefined) tell(words, step.at);
    },
  });
  try {
    const registered = await phone.register();
    context.out(
      `\n${styleText('bold', `${who.name}, account ${who.account}`)}: its app has registered a push token (HTTP ${registered.status})`,
    );
    phone.listen(who.kind === 'ios' ? world.apple : world.google);
    if (who === DELETED) world.google.unregisterDevice(who.token);

    startedAt = monotonic();
    tell(`the PBX asks for the phone: POST /api/incoming-call/`, startedAt);
    const answer = await askPbx({ url: running.pbxUrl, account: who.account, ...CALLER });
    const word = styleText(answer.outcome === 'ready' ? 'green' : 'red', answer.body);
    tell(`the PBX hears ${word} (${answer.outcome ?? 'no outcome'})`, monotonic());
    return answer;
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
