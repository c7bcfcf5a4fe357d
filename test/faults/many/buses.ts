import { type RedisServer, startRedis } from '../../helpers/redis-server.ts';

/** What stands between the instances. */
export type BusKind = 'none' | 'Redis';

/** A bus that was started for one fault. */
export interface Bus {
  readonly kind: BusKind;
  /** The settings by which an instance finds it. */
  settingsOf(instance: number): Readonly<Record<string, string>>;
  /** Ports that instances connect to, with the name of who is there. */
  readonly peers: ReadonlyMap<number, string>;
  /** The one Redis server; throws where there is none. */
  redis(): RedisServer;
  close(): Promise<void>;
}

const NO_BUS: Bus = {
  kind: 'none',
  settingsOf: () => ({}),
  peers: new Map(),
  redis: () => {
    throw new Error('this fleet has no Redis');
  },
  close: () => Promise.resolve(),
};

/** Starts a bus that is empty. */
export const startBus = async (kind: BusKind): Promise<Bus> => {
  if (kind === 'none') return NO_BUS;
  const redis = await startRedis();
  return {
    kind,
    settingsOf: () => ({ REDIS_URL: redis.url }),
    peers: new Map([[redis.port, 'Redis']]),
    redis: () => redis,
    close: () => redis.close(),
  };
};
