import type { TestContext } from 'node:test';
import { openRedis } from '../../src/redis/open-redis.ts';
import { type RedisSettings, readRedisAddress } from '../../src/redis/redis-address.ts';
import type { RedisEvents, RedisLink, RedisProbe } from '../../src/redis/redis-link.ts';

/** Milliseconds that a link may take to close: one that cannot end must fail its test, not hang it. */
const CLOSING_MS = 10_000;

/** A link, and what it told. */
export interface WatchedLink {
  readonly link: RedisLink;
  /** Events in their order, such as `up` and `down timeout`. */
  readonly told: string[];
}

/** The settings of an address, as the configuration would make them. */
export function settingsOf(url: string, more: Partial<RedisSettings> = {}): RedisSettings {
  const reading = readRedisAddress(url);
  if (!reading.ok) throw new Error(reading.problem);
  return { ...reading.address, ca: undefined, timeoutMs: 300, required: false, prefix: 'vm:', ...more };
}

/** Opens a link that is closed after the test. */
export function watchedLink(
  t: TestContext,
  settings: RedisSettings,
  use?: { readonly probe: RedisProbe },
): WatchedLink {
  const told: string[] = [];
  const events: RedisEvents = {
    redisUp: () => told.push('up'),
    redisDown: ({ fault }) => told.push(`down ${fault}`),
    shardUp: () => told.push('shard up'),
    shardDown: ({ fault }) => told.push(`shard down ${fault}`),
    listening: () => told.push('listening'),
    notListening: ({ fault }) => told.push(`not listening ${fault}`),
    redisOverloaded: () => told.push('overloaded'),
  };
  const link = openRedis(settings, events, use);
  t.after(() => link.close(), { timeout: CLOSING_MS });
  return { link, told };
}
