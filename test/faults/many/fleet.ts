import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addSandboxApps } from '../../../src/cli/sandbox/sandbox-apps.ts';
import { startWorld, type World } from '../../../src/sandbox/world.ts';
import { createInstance, type Instance } from './instance.ts';
import { createLines, type Lines } from './lines.ts';

/** From the PBX's request to the last moment of its answer, milliseconds. */
export const WAIT_MS = 8_000;
/** Connections to the database that each instance may have. */
export const POOL_SIZE = 4;
const NAMES = ['A', 'B', 'C'] as const;

/** Some instances that share one database and, where told, one bus, with Apple and Google around them. */
export interface Fleet {
  readonly world: World;
  readonly instances: readonly Instance[];
  /** How PBXs and apps reach them, in the order of `instances`. */
  readonly lines: Lines;
  /** Whom an instance's socket leads to, by its ports. */
  peerName(instance: Instance, local: number, remote: number): string;
  close(): Promise<void>;
}

/** Starts a fleet on an empty or migrated database. `settingsOf` an instance are added to the usual ones. */
export async function startFleet(options: {
  readonly instances: 2 | 3;
  readonly databaseUrl: string;
  readonly settingsOf: (instance: number) => Readonly<Record<string, string>>;
  /** A folder in which Node keeps what it has compiled: instances start in half the time. */
  readonly compileCache: string;
  /** Names of ports that instances connect to, beside those of the push services. */
  readonly peers: ReadonlyMap<number, string>;
}): Promise<Fleet> {
  await using starting = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-faults-'));
  starting.defer(() => rm(folder, { recursive: true, force: true }));
  const world = await startWorld();
  starting.defer(() => world.close());
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, world.ca.certificate);
  await addSandboxApps(options.databaseUrl, world);

  const instances: Instance[] = [];
  for (const [index, name] of NAMES.slice(0, options.instances).entries()) {
    const instance = await createInstance(name, {
      NODE_COMPILE_CACHE: options.compileCache,
      NODE_EXTRA_CA_CERTS: caFile,
      ...world.settings,
      ACCOUNT_AUTH: 'none',
      DATABASE_URL: options.databaseUrl,
      DATABASE_TIMEOUT: '4000',
      DATABASE_POOL_SIZE: String(POOL_SIZE),
      APP_PUSH_ROUNDTRIP_WAIT: String(WAIT_MS),
      APP_PUSH_RESEND_INTERVAL: '1000',
      MAX_WAITING_CALLS: '5000',
      LOG_LEVEL: 'warn',
      LOG_FORMAT: 'json',
      ...options.settingsOf(index),
    });
    instances.push(instance);
    starting.defer(() => instance.kill());
  }
  await Promise.all(instances.map((instance) => instance.start()));
  const lines = createLines(instances.map(({ url }) => url));
  starting.defer(() => lines.hangUp());

  const peers = new Map([
    ...options.peers,
    [Number(new URL(world.apple.origin).port), 'Apple'],
    [Number(new URL(world.appleSandbox.origin).port), "Apple's sandbox"],
    [Number(new URL(world.google.origin).port), 'Google'],
  ]);
  const running = starting.move();
  return {
    world,
    instances,
    lines,
    peerName: (instance, local, remote) => {
      if (local === instance.port) return 'PBXs and phones';
      if (local === instance.metricsPort) return 'Prometheus';
      return peers.get(remote) ?? 'somebody else';
    },
    close: () => running.disposeAsync(),
  };
}
