import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { owned } from '../../harness/owned.ts';
import { freePort } from '../../harness/server-process.ts';
import { startArguments } from '../../harness/start-command.ts';
import { until } from '../../harness/until.ts';

/** What `npm start` runs, as its own process, with these settings and no others. */
export interface ServiceProcess {
  readonly url: string;
  readonly metricsUrl: string;
  readonly pid: number;
  /** Calls that wait, by its own metric. */
  waiting(): Promise<number>;
  close(): Promise<void>;
}

const KEPT_OUTPUT = 20_000;
const STOP_LIMIT_MS = 10_000;
/** Node and all modules, on a machine that is busy. */
const START_LIMIT_MS = 90_000;

/** Starts it on free ports and waits until it listens. `nodeOptions`: for `node` itself, such as `--cpu-prof`. */
export async function startService(
  settings: Readonly<Record<string, string>>,
  nodeOptions: string | undefined,
): Promise<ServiceProcess> {
  const port = await freePort();
  const metricsPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const metricsUrl = `http://127.0.0.1:${metricsPort}/metrics`;
  const service = spawn(...owned(process.execPath, startArguments(), 'TERM'), {
    env: {
      PATH: process.env['PATH'] ?? '',
      HOME: process.env['HOME'] ?? '',
      PORT: String(port),
      PROMETHEUS_PORT: String(metricsPort),
      ...(nodeOptions === undefined ? {} : { NODE_OPTIONS: nodeOptions }),
      ...settings,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const exited = once(service, 'exit');
  let output = '';
  const keep = (chunk: Buffer): void => {
    output = (output + chunk.toString('latin1')).slice(-KEPT_OUTPUT);
  };
  service.stdout.on('data', keep);
  service.stderr.on('data', keep);
  const answers = async (): Promise<boolean> => {
    if (service.exitCode !== null) throw new Error(`the service ended: ${output}`);
    return fetch(`${url}/healthz`).then(
      ({ ok }) => ok,
      () => false,
    );
  };
  const { pid } = service;
  if (pid === undefined) throw new Error('the service could not be started');
  await until(answers, 'the service listens', START_LIMIT_MS).catch(async (error: unknown) => {
    service.kill('SIGTERM');
    await exited;
    throw error;
  });
  // From now on its log is read and thrown away, as cheaply as that can be done.
  service.stdout.off('data', keep).resume();
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
      if (service.exitCode === null) process.kill(pid, 'SIGTERM');
      await exited;
      clearTimeout(killed);
    },
  };
}
