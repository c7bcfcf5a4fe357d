import { type RedisServer, startRedis } from '../../../harness/redis-server.ts';
import { type RedisCluster, startRedisCluster } from '../../helpers/redis-cluster.ts';
import { startTcpProxy, type TcpProxy } from '../../helpers/tcp-proxy.ts';

/** What stands between the instances; `Redis by proxy`: instance A reaches it through a network that can be cut. */
export type BusKind = 'none' | 'Redis' | 'Redis by proxy' | 'Redis Cluster';

/** A bus that was started for one fault. What the fleet has none of throws when it is asked for. */
export interface Bus {
  readonly kind: BusKind;
  /** The settings by which an instance finds it. */
  settingsOf(instance: number): Readonly<Record<string, string>>;
  /** Ports that instances connect to, with the name of who is there. */
  readonly peers: ReadonlyMap<number, string>;
  redis(): RedisServer;
  cluster(): RedisCluster;
  /** Between instance A and Redis. */
  network(): TcpProxy;
  close(): Promise<void>;
}

function none(what: string) {
  return (): never => {
    throw new Error(`this fleet has no ${what}`);
  };
}

const NO_BUS: Bus = {
  kind: 'none',
  settingsOf: () => ({}),
  peers: new Map(),
  redis: none('Redis'),
  cluster: none('Redis Cluster'),
  network: none('network to cut'),
  close: () => Promise.resolve(),
};

async function startSingle(): Promise<Bus> {
  const redis = await startRedis();
  return {
    ...NO_BUS,
    kind: 'Redis',
    settingsOf: () => ({ REDIS_URL: redis.url }),
    peers: new Map([[redis.port, 'Redis']]),
    redis: () => redis,
    close: () => redis.close(),
  };
}

async function startProxied(): Promise<Bus> {
  const redis = await startRedis();
  const network = await startTcpProxy(redis.port);
  const throughNetwork = `redis://127.0.0.1:${network.port}`;
  return {
    ...NO_BUS,
    kind: 'Redis by proxy',
    settingsOf: (instance) => ({ REDIS_URL: instance === 0 ? throughNetwork : redis.url }),
    peers: new Map([redis.port, network.port].map((port) => [port, 'Redis'])),
    redis: () => redis,
    network: () => network,
    close: async () => {
      await network.close();
      await redis.close();
    },
  };
}

async function startCluster(): Promise<Bus> {
  const cluster = await startRedisCluster();
  return {
    ...NO_BUS,
    kind: 'Redis Cluster',
    settingsOf: () => ({ REDIS_SERVER_LIST: cluster.serverList }),
    peers: new Map(cluster.servers.map(({ port }) => [port, 'Redis'])),
    cluster: () => cluster,
    close: () => cluster.close(),
  };
}

/** Starts a bus that is empty. */
export function startBus(kind: BusKind): Promise<Bus> {
  switch (kind) {
    case 'none':
      return Promise.resolve(NO_BUS);
    case 'Redis':
      return startSingle();
    case 'Redis by proxy':
      return startProxied();
    case 'Redis Cluster':
      return startCluster();
    default:
      return kind satisfies never;
  }
}
