import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from '../../harness/until.ts';
import { addSandboxApps } from '../../src/cli/sandbox/sandbox-apps.ts';
import type { Tools } from '../lib/tools.ts';
import { type ServiceProcess, startService } from './service.ts';
import type { Subject } from './subject.ts';

/** Which service is started. */
export interface InstancesOptions {
  readonly name: string;
  readonly instances: number;
  /** Undefined: a SQLite file of its own. */
  readonly databaseUrl?: string;
  /** Undefined: the bus in memory. */
  readonly redisUrl?: string;
  /** For `node` itself, such as `--cpu-prof`. */
  readonly nodeOptions?: string | undefined;
}

/** Calls that may wait: more than the bench lets wait, and within 20,000 open files. */
const MAX_WAITING = 16_000;

/** Starts the service as operators do, on a new database with the sandbox's apps. */
export async function startInstances(
  { world, caFile }: Pick<Tools, 'world' | 'caFile'>,
  options: InstancesOptions,
): Promise<Subject> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-bench-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const databaseUrl = options.databaseUrl ?? `sqlite:${join(folder, 'bench.db')}`;
  await addSandboxApps(databaseUrl, world);
  const settings = {
    ...world.settings,
    NODE_EXTRA_CA_CERTS: caFile,
    ACCOUNT_AUTH: 'none',
    DATABASE_URL: databaseUrl,
    ...(options.redisUrl === undefined ? {} : { REDIS_URL: options.redisUrl }),
    // No call may end by its deadline while it is measured.
    APP_PUSH_ROUNDTRIP_WAIT: '60000',
    SHUTDOWN_GRACE: '0',
    MAX_WAITING_CALLS: String(MAX_WAITING),
  };
  const startOne = async (): Promise<ServiceProcess> =>
    starting.adopt(await startService(settings, options.nodeOptions), (service) => service.close());
  const services = await Promise.all(Array.from({ length: options.instances }, startOne));
  const running = starting.move();
  return {
    name: options.name,
    origins: services.map(({ url }) => url),
    pids: services.map(({ pid }) => pid),
    pushes: true,
    settle: (waiting) =>
      until(async () => {
        const each = await Promise.all(services.map((service) => service.waiting()));
        return each.reduce((sum, count) => sum + count, 0) <= waiting;
      }, 'calls that were hung up wait no more'),
    close: () => running.disposeAsync(),
  };
}
