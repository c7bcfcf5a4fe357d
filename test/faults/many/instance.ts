import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { owned } from '../../../harness/owned.ts';
import { freePort } from '../../../harness/server-process.ts';
import { startArguments } from '../../../harness/start-command.ts';
import { until } from '../../../harness/until.ts';
import { getText } from './get-text.ts';
import { type Metrics, readMetrics } from './metrics.ts';

/** One instance of the service: a process that can end and start again under the same addresses. */
export interface Instance {
  /** `A`, `B`, … */
  readonly name: string;
  readonly url: string;
  readonly port: number;
  readonly metricsPort: number;
  /** The process now; throws while there is none. */
  pid(): number;
  runs(): boolean;
  /** Starts it and waits until it listens. */
  start(): Promise<void>;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves with its exit code, or the signal that ended it. */
  stop(): Promise<number | string>;
  metrics(): Promise<Metrics>;
  /** The last of what it wrote, of its earlier processes too. */
  output(): string;
}

const KEPT_OUTPUT = 100_000;

/** Makes an instance on free ports; it is not started. `settings` are all of its environment beside `PATH`. */
export async function createInstance(
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<Instance> {
  const port = await freePort();
  const metricsPort = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const env = {
    PATH: process.env['PATH'] ?? '',
    PORT: String(port),
    PROMETHEUS_PORT: String(metricsPort),
    ...settings,
  };
  let child: ChildProcess | undefined;
  let exited: Promise<number | string> = Promise.resolve('never started');
  let output = '';

  const runs = () => child !== undefined && child.exitCode === null && child.signalCode === null;
  const listens = async () => {
    if (!runs()) throw new Error(`instance ${name} ended while it started: ${output}`);
    return getText(`${url}/healthz`).then(
      ({ status }) => status === 200,
      () => false,
    );
  };
  const end = (signal: NodeJS.Signals): Promise<number | string> => {
    child?.kill(signal);
    return exited;
  };
  return {
    name,
    url,
    port,
    metricsPort,
    pid: () => {
      if (child?.pid === undefined || !runs()) throw new Error(`instance ${name} does not run`);
      return child.pid;
    },
    runs,
    start: async () => {
      const started = spawn(...owned(process.execPath, startArguments()), {
        env,
        stdio: ['ignore', 'pipe', 'pipe'],
      });
      exited = once(started, 'exit').then(([code, signal]): number | string => code ?? signal);
      for (const stream of [started.stdout, started.stderr]) {
        stream.setEncoding('utf8').on('data', (text: string) => {
          output = (output + text).slice(-KEPT_OUTPUT);
        });
      }
      child = started;
      await until(listens, `instance ${name} listens`);
    },
    kill: async () => {
      if (runs()) await end('SIGKILL');
    },
    stop: () => end('SIGTERM'),
    metrics: async () => readMetrics((await getText(`http://127.0.0.1:${metricsPort}/metrics`)).text),
    output: () => output,
  };
}
