import { startDatabaseServer } from '../../harness/database-server.ts';
import { startRedis } from '../../harness/redis-server.ts';
import { childrenOf, cpuMs } from '../lib/process-figures.ts';

/** PostgreSQL and Redis, for several instances. */
export interface Backing {
  /** An empty database. */
  createDatabase(): Promise<string>;
  readonly redisUrl: string;
  /** Milliseconds of processor time so far. */
  databaseCpuMs(): number;
  redisCpuMs(): number;
  /** Commands so far by name, those that scripts ran included. */
  redisCommands(): Promise<ReadonlyMap<string, number>>;
  close(): Promise<void>;
}

/** Starts both on loopback; throws where one is not installed. */
export async function startBacking(): Promise<Backing> {
  await using starting = new AsyncDisposableStack();
  const [database, redis] = await Promise.all([
    startDatabaseServer('PostgreSQL').then((server) => starting.adopt(server, () => server.close())),
    startRedis().then((server) => starting.adopt(server, () => server.close())),
  ]);
  const running = starting.move();
  return {
    createDatabase: () => database.createDatabase(),
    redisUrl: redis.url,
    databaseCpuMs: () =>
      [database.process.pid, ...childrenOf(database.process.pid)].reduce((sum, pid) => sum + cpuMs(pid), 0),
    redisCpuMs: () => cpuMs(redis.pid),
    redisCommands: async () => readCommands(String(await redis.ask('INFO', 'commandstats'))),
    close: () => running.disposeAsync(),
  };
}

/** Lines such as `cmdstat_evalsha:calls=12,usec=…` and `cmdstat_client|setinfo:calls=2,…`. */
function readCommands(text: string): ReadonlyMap<string, number> {
  return new Map(
    [...text.matchAll(/^cmdstat_([^:]+):calls=(\d+)/gm)].map(([, name = '', calls]) => [name, Number(calls)]),
  );
}
