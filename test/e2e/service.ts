import { startArguments } from '../../harness/start-command.ts';
import { until } from '../../harness/until.ts';
import { getText } from '../faults/many/get-text.ts';
import { type Metrics, readMetrics } from '../faults/many/metrics.ts';
import { startChild } from './child.ts';
import { PROGRAM_PATH } from './program-path.ts';

/** An instance of the service, started with the command of `npm start`. */
export interface Service {
  readonly url: string;
  runs(): boolean;
  /** Ends it at once, as `kill -9` does. */
  kill(): Promise<void>;
  /** Asks it to stop; resolves with its exit code, or the signal that ended it. */
  stop(): Promise<number | string>;
  metrics(): Promise<Metrics>;
  output(): string;
}

/** A machine that is busy starts it slowly. */
const START_LIMIT_MS = 40_000;

/** Starts it on ports that it picks itself; `settings` are its environment. Rejects with what it wrote when it ends instead. */
export async function startService(settings: Readonly<Record<string, string>>): Promise<Service> {
  const env = { PATH: PROGRAM_PATH, PORT: '0', PROMETHEUS_PORT: '0', LOG_FORMAT: 'json', ...settings };
  const child = startChild(process.execPath, startArguments(), { cwd: process.cwd(), env });
  const listens = () => {
    if (!child.runs()) throw new Error(`the service ended while it started: ${child.output()}`);
    return addressOf(child.output()) !== undefined;
  };
  try {
    await until(listens, 'the service listens', START_LIMIT_MS);
  } catch (error) {
    await child.end('SIGKILL');
    throw error;
  }
  const { url = '', metricsUrl = '' } = addressOf(child.output()) ?? {};
  return {
    url,
    runs: child.runs,
    kill: () => child.end('SIGKILL'),
    stop: async () => {
      await child.end('SIGTERM', STOP_LIMIT_MS);
      return child.ended;
    },
    metrics: async () => readMetrics((await getText(metricsUrl)).text),
    output: child.output,
  };
}

/** Waiting calls have their whole wait when it stops. */
const STOP_LIMIT_MS = 15_000;

/** The two addresses in the log line that tells them. */
function addressOf(output: string): { readonly url: string; readonly metricsUrl: string } | undefined {
  const line = /^\{.*"msg":"listening".*\}$/m.exec(output)?.[0];
  if (line === undefined) return undefined;
  const { url, metricsUrl }: Record<string, unknown> = JSON.parse(line);
  return { url: String(url), metricsUrl: String(metricsUrl) };
}
