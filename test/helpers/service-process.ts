import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { until } from '../../harness/until.ts';
import { addSandboxApps } from '../../src/cli/sandbox/sandbox-apps.ts';
import { startWorld, type World } from '../../src/sandbox/world.ts';
import { COMPILE_CACHE } from './compile-cache.ts';

/** A line of the log as it was written. */
export type LogLine = Readonly<Record<string, unknown>>;

/** The service as its own process, as an operator runs it. */
export interface ServiceProcess {
  readonly world: World;
  readonly process: ChildProcess;
  readonly url: string;
  readonly metricsUrl: string;
  readonly databaseUrl: string;
  /** Everything it wrote so far, standard error included. */
  output(): string;
  lines(): LogLine[];
  /** Starts another one on the same database and world. */
  again(settings?: Readonly<Record<string, string>>): Promise<ServiceProcess>;
  /** Resolves with the exit code, or the signal that ended it. */
  ended(): Promise<number | string>;
}

/** How the process differs from one that is started by itself. */
export interface ProcessOptions {
  /** The limit of its open files. */
  readonly openFiles?: number;
  /** Its standard output, as a descriptor; the settings must then name PORT and PROMETHEUS_PORT. */
  readonly stdout?: number;
}

/** Starts `serve` as a child process with the world around it, and ends both after the test. */
export async function startServiceProcess(
  t: Pick<TestContext, 'after'>,
  settings: Readonly<Record<string, string>> = {},
  options: ProcessOptions = {},
): Promise<ServiceProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-test-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const world = await startWorld();
  t.after(() => world.close());
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, world.ca.certificate);
  const databaseUrl = `sqlite:${join(folder, 'test.db')}`;
  await addSandboxApps(databaseUrl, world);
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...COMPILE_CACHE,
    NODE_EXTRA_CA_CERTS: caFile,
    ...world.settings,
    ACCOUNT_AUTH: 'voipgrid',
    DATABASE_URL: databaseUrl,
    PORT: '0',
    PROMETHEUS_PORT: '0',
    LOG_LEVEL: 'debug',
    // A machine that is busy with other tests must not turn calls away in this one.
    EVENT_LOOP_LIMIT: '0',
    ...settings,
  };
  return spawnService(t, world, databaseUrl, env, options);
}

/** A machine that is busy with other tests takes long for a start. */
const START_LIMIT_MS = 60_000;

const SERVE = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'serve'];

async function spawnService(
  t: Pick<TestContext, 'after'>,
  world: World,
  databaseUrl: string,
  env: Readonly<Record<string, string>>,
  options: ProcessOptions,
): Promise<ServiceProcess> {
  const { openFiles } = options;
  const limit = openFiles === undefined ? '' : `ulimit -n ${openFiles}; `;
  const child = spawn(...owned('sh', ['-c', `${limit}exec "$@"`, 'sh', process.execPath, ...SERVE]), {
    env,
    stdio: ['ignore', options.stdout ?? 'pipe', 'pipe'],
  });
  const exited = once(child, 'exit').then(([code, signal]): number | string => code ?? signal);
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream?.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  const lines = () => parseLines(output);
  const listening = () => lines().find((line) => line['msg'] === 'listening');
  if (options.stdout === undefined) {
    const isThere = () => listening() !== undefined || child.exitCode !== null;
    await until(isThere, 'the service listens', START_LIMIT_MS);
  } else {
    await until(
      () => answers(`http://127.0.0.1:${env['PORT']}/healthz`),
      'the service answers',
      START_LIMIT_MS,
    );
  }
  const { url, metricsUrl } = listening() ?? {
    url: `http://127.0.0.1:${env['PORT']}`,
    metricsUrl: `http://127.0.0.1:${env['PROMETHEUS_PORT']}`,
  };
  if (child.exitCode !== null || typeof url !== 'string' || typeof metricsUrl !== 'string')
    throw new Error(`it did not start: ${output}`);
  return {
    world,
    process: child,
    url,
    metricsUrl,
    databaseUrl,
    output: () => output,
    lines,
    again: (settings = {}) => spawnService(t, world, databaseUrl, { ...env, ...settings }, options),
    ended: () => exited,
  };
}

function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}

function parseLines(output: string): LogLine[] {
  const complete = output.slice(0, output.lastIndexOf('\n') + 1);
  return complete.split('\n').flatMap((line): LogLine[] => {
    if (!line.startsWith('{')) return [];
    const value: unknown = JSON.parse(line);
    return isLine(value) ? [value] : [];
  });
}

function isLine(value: unknown): value is LogLine {
  return typeof value === 'object' && value !== null;
}
