import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { Agent } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { addSandboxApps, SANDBOX_APPS, trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { readConfig } from '../../src/config/config.ts';
import { askPbx, type PbxAnswer, type PbxCall } from '../../src/sandbox/pbx.ts';
import { createPhone, type Phone, type PhoneOptions, type PhoneStep } from '../../src/sandbox/phone.ts';
import { startWorld, type World, type WorldOptions } from '../../src/sandbox/world.ts';
import { type RunningService, startService } from '../../src/service/start-service.ts';
import type { Log } from '../../src/telemetry/log.ts';
import { type LogFields, redact } from '../../src/telemetry/redaction.ts';

/** One line of the service's log, redacted as it would be written. */
export interface LoggedLine {
  readonly level: string;
  readonly message: string;
  readonly fields: LogFields;
}

/** The whole service on a free port with Apple, Google and the platform API around it. */
export interface TestService {
  readonly world: World;
  readonly running: RunningService;
  readonly url: string;
  readonly databaseUrl: string;
  readonly logged: LoggedLine[];
  /** Asks as a PBX. */
  ask(call: Partial<PbxCall> & Pick<PbxCall, 'account'>): Promise<PbxAnswer>;
  /** A phone that is registered, listens for pushes and answers after 5 ms unless told otherwise. */
  phone(options?: TestPhoneOptions): Promise<TestPhone>;
  /** The value of a metric line, e.g. `vialer_middleware_calls_total{app="com.example",outcome="ready",platform="apns"}`; 0 if absent. */
  metric(series: string): Promise<number>;
}

/** A phone of a test; what is not told is made up. */
export type TestPhoneOptions = Partial<PhoneOptions> & { readonly register?: boolean };

/** A phone and what happened on it. */
export interface TestPhone extends Phone {
  readonly account: number;
  readonly token: string;
  readonly steps: PhoneStep[];
  /** Pushes that reached it. */
  pushes(): number;
}

/** How a test's service differs from the usual one. */
export interface TestServiceOptions {
  readonly settings?: Readonly<Record<string, string>>;
  readonly world?: WorldOptions;
  /** Puts something between the service and the world, e.g. a slow network, and says which settings lead through it. */
  readonly between?: (world: World) => Promise<Readonly<Record<string, string>>>;
  /** A new SQLite file where it is left out. */
  readonly databaseUrl?: string;
}

let nextAccount = 100_000_000;

/** An account that no other test of this process uses. */
export function newAccount(): number {
  nextAccount += 1;
  return nextAccount;
}

/**
 * Starts the service for one test (or one suite) and stops it afterwards, when nothing may be waiting any more. A wait
 * of 1500 ms with pushes at 0 ms only keeps tests short; a test that looks at the schedule sets its own.
 */
export async function startTestService(
  t: Pick<TestContext, 'after'>,
  options: TestServiceOptions = {},
): Promise<TestService> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const world = await startWorld(options.world);
  t.after(() => world.close());
  trustSandbox(world.ca.certificate);
  const databaseUrl = options.databaseUrl ?? `sqlite:${join(folder, 'test.db')}`;
  await addSandboxApps(databaseUrl, world);
  const logged: LoggedLine[] = [];
  const settings = { ...options.settings, ...(await options.between?.(world)) };
  const running = await startService(configFor(world, databaseUrl, settings), () => recordingLog(logged));
  t.after(async () => {
    // A call that still waits fails the test, and must not keep its listeners open as well.
    try {
      await until(() => running.waiting() === 0, 'no call waits after the test');
    } finally {
      await running.stop(Promise.resolve());
    }
  });
  const agents = { keepAlive: true, maxSockets: Number.POSITIVE_INFINITY };
  const agent = running.url.startsWith('https:') ? new SecureAgent(agents) : new Agent(agents);
  t.after(() => agent.destroy());
  return {
    world,
    running,
    url: running.url,
    databaseUrl,
    logged,
    ask: (call) => askPbx({ url: running.pbxUrl, phoneNumber: '0201234567', agent, ...call }),
    phone: (phoneOptions) => startPhone(t, world, running, agent, phoneOptions ?? {}),
    metric: (series) => readMetric(running, series),
  };
}

function configFor(world: World, databaseUrl: string, settings: Readonly<Record<string, string>>) {
  const env = {
    ...world.settings,
    DATABASE_URL: databaseUrl,
    ACCOUNT_AUTH: 'voipgrid',
    PORT: '0',
    PROMETHEUS_PORT: '0',
    APP_PUSH_ROUNDTRIP_WAIT: '1500',
    // A machine that is busy with other tests must not turn calls or registrations away in this one.
    EVENT_LOOP_LIMIT: '0',
    VG_API_TIMEOUT: '30000',
    ...settings,
  };
  const report = readConfig({ env, readFile: (path) => readFileSync(path, 'utf8'), openFiles: 20_000 });
  assert.deepEqual(report.problems, []);
  assert.ok(report.config);
  return report.config;
}

function recordingLog(logged: LoggedLine[]): Log {
  return {
    isOn: () => true,
    write: (level, message, fields) => logged.push({ level, message, fields: redact(fields) }),
    writeError: (message, error, fields) =>
      logged.push({ level: 'error', message, fields: { ...redact(fields), error: String(error) } }),
    flush: () => {},
  };
}

async function startPhone(
  t: Pick<TestContext, 'after'>,
  world: World,
  running: RunningService,
  agent: Agent,
  options: TestPhoneOptions,
): Promise<TestPhone> {
  const kind = options.kind ?? 'android';
  const account = options.account ?? newAccount();
  const token =
    options.token ?? (kind === 'ios' ? account.toString(16).padStart(64, '0') : `fcm-${account}:x_y-z`);
  const user = `user${account}@example.com`;
  const { token: authorization } = world.platform.addUser({
    account,
    user,
    password: 'pw',
    token: 'platform-token',
  });
  const steps: PhoneStep[] = [];
  const phone = createPhone({
    kind,
    account,
    token,
    app: kind === 'ios' ? SANDBOX_APPS.apns : SANDBOX_APPS.android,
    server: running.url,
    authorization,
    wakeUpMs: 5,
    agent,
    onStep: (step) => steps.push(step),
    ...options,
  });
  t.after(() => phone.close());
  if (options.register !== false) {
    const answer = await phone.register();
    assert.ok(answer.status === 200 || answer.status === 201, `registration was answered ${answer.status}`);
  }
  if (kind === 'android') phone.listen(world.google);
  else phone.listen(options.sandbox === true ? world.appleSandbox : world.apple);
  return {
    ...phone,
    account,
    token,
    steps,
    pushes: () => steps.filter((step) => step.kind === 'push-received').length,
  };
}

async function readMetric(running: RunningService, series: string): Promise<number> {
  const response = await fetch(`${running.metricsUrl}/metrics`);
  const text = await response.text();
  const line = text.split('\n').find((candidate) => candidate.startsWith(`${series} `));
  return line === undefined ? 0 : Number(line.slice(series.length + 1));
}
