import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { owned } from '../../harness/owned.ts';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { childrenOf, commandOf } from '../lib/process-figures.ts';

/** `npm start`, as its own process, with these settings and no others. */
export interface ServiceProcess {
  readonly url: string;
  readonly metricsUrl: string;
  /** The service itself, not npm. */
  readonly pid: number;
  /** Calls that wait, by its own metric. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

const KEPT_OUTPUT = 20_000;
const STOP_LIMIT_MS = 10_000;
/** npm, node and all modules, on a machine that is busy. */
const START_LIMIT_MS = 90_000;

/** npm runs a shell, which becomes the service or starts it. */
function serviceUnder(pid: number): number | undefined {
  for (const child of childrenOf(pid)) {
    if (/\bnode .*src\/main\.ts serve/.test(commandOf(child)) && !commandOf(child).startsWith('sh '))
      return child;
    const deeper = serviceUnder(child);
    if (deeper !== undefined) return deeper;
  }
  return undefined;
}

/** Resolves with the service's own process once it answers. */
async function listening(answers: () => Promise<boolean>, npm: number): Promise<number> {
  await until(answers, 'npm start listens', START_LIMIT_MS);
  const pid = serviceUnder(npm);
  if (pid === undefined) throw new Error('npm start runs, but the service is not among its processes');
  return pid;
}

/** Starts it on free ports and waits until it listens. `nodeOptions`: for `node` itself, such as `--cpu-prof`. */
export async function startService(
  settings: Readonly<Record<string, string>>,
  nodeOptions: string | undefined,
): Promise<ServiceProcess> {
  const port = await freePort();
  const metricsPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const arguments_ = ['start', ...(nodeOptions === undefined ? [] : [`--node-options=${nodeOptions}`])];
  const npm = spawn(...owned('npm', arguments_, 'TERM'), {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      PORT: String(port),
      PROMETHEUS_PORT: String(metricsPort),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(npm, 'exit');
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('latin1')).slice(-KEPT_OUTPUT);
  };
  npm.stdout.on('data', keep);
  npm.stderr.on('data', keep);
  const answers = async (): Promise<boolean> => {
    if (npm.exitCode !== null) throw new Error(`npm start ended: ${output}`);
    return fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  const pid = await listening(answers, npm.pid ?? 0).catch(async (error: unknown) => {
    npm.kill('SIGTERM');
    await exited;
    throw error;
  });
  // From now on its log is read and thrown away, as cheaply as that can be done.
  npm.stdout.off('data', keep).resume();
  return {
    url,
    metricsUrl,
    pid,
    waiting: async () => {
      const text = await (await fetch(metricsUrl)).text();
      return Number(/^vialer_middleware_calls_waiting (\d+)$/m.exec(text)?.[1] ?? Number.NaN);
    },
    close: async () => {
      const killed = setTimeout(() => process.kill(pid, 'SIGKILL'), STOP_LIMIT_MS);
      if (npm.exitCode === null) process.kill(pid, 'SIGTERM');
      await exited;
      clearTimeout(killed);
    },
  };
}
