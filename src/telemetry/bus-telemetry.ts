import { Counter, type Gauge, type Registry } from 'prom-client';
import type { BusEvents } from '../bus/redis/bus-events.ts';
import type { RedisEvents } from '../redis/redis-link.ts';
import { describeTrouble, type RedisFault } from '../redis/redis-unavailable.ts';
import type { Conditions } from './conditions.ts';
import type { Log } from './log.ts';
import type { LogFields } from './redaction.ts';

/** Every reason of `redis_faults_total`: shown as 0 before the first. */
export const REDIS_FAULTS = Object.keys({
  busy: true,
  closed: true,
  'cluster-down': true,
  'cluster-server': true,
  'connection-lost': true,
  connecting: true,
  loading: true,
  'login-refused': true,
  'no-cluster': true,
  'no-database': true,
  'no-master': true,
  'not-permitted': true,
  'out-of-memory': true,
  overloaded: true,
  'read-only': true,
  refused: true,
  script: true,
  'sentinel-refused': true,
  'tls-mismatch': true,
  'too-many-clients': true,
  timeout: true,
  unreachable: true,
  untrusted: true,
} as const satisfies Record<RedisFault | 'script', true>);

/** Log line and metric of everything that happens between instances and with Redis. */
export function createBusTelemetry(
  log: Log,
  registry: Registry,
  redisHealth: Gauge,
  conditions: Conditions,
): BusEvents & RedisEvents {
  const counter = <L extends string>(name: string, help: string, labelNames: readonly L[]) =>
    new Counter({
      name: `vialer_middleware_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [registry],
    });
  const takenOver = counter(
    'calls_taken_over_total',
    'Calls whose phone this instance wakes in place of another.',
    [],
  );
  const found = counter(
    'answers_found_total',
    'Endings that were found in Redis because their message did not arrive.',
    ['at'],
  );
  const faults = counter('redis_faults_total', 'Times that Redis stopped working for this instance.', [
    'reason',
  ]);
  for (const at of ['look', 'deadline']) found.inc({ at }, 0);
  for (const reason of REDIS_FAULTS) faults.inc({ reason }, 0);
  // Answers cross between instances only if commands work and messages are heard.
  const state = { works: false, hears: false };
  const health = (change: Partial<typeof state>) => {
    Object.assign(state, change);
    redisHealth.set(state.works && state.hears ? 1 : 0);
  };
  const failed = (during: string, error: unknown) => {
    faults.inc({ reason: 'script' });
    conditions.met({
      key: `bus ${during}`,
      level: 'error',
      message: 'a script in Redis failed by a fault of this service',
      fields: { during },
      error,
      ends: 'by-silence',
    });
  };
  const down = (key: string, level: 'warn' | 'error', message: string, fields: LogFields) =>
    conditions.met({ key, level, message, fields, ends: 'by-event' });
  let wasUp = false;
  let wasListening = false;
  return {
    callTakenOver: ({ account, uniqueKey }) => {
      takenOver.inc();
      log.write('warn', 'call taken over from another instance', { call: uniqueKey, account });
    },
    answerFound: ({ at }) => {
      found.inc({ at });
      log.write('info', 'the end of a call was found in Redis: its message did not arrive', { at });
    },
    busFailed: ({ during, error }) => failed(during, error),
    redisUp: () => {
      health({ works: true });
      if (!wasUp) log.write('info', 'Redis works', {});
      wasUp = true;
      conditions.over('redis', 'Redis works again');
    },
    redisDown: (trouble) => {
      health({ works: false });
      faults.inc({ reason: trouble.fault });
      down('redis', 'error', `Redis cannot be used: ${describeTrouble(trouble)}`, { reason: trouble.fault });
    },
    shardUp: ({ server }) => {
      conditions.over(`redis ${server}`, 'a master of the Redis Cluster works again', { server });
    },
    shardDown: ({ server, ...trouble }) => {
      faults.inc({ reason: trouble.fault });
      const message = `a master of the Redis Cluster cannot be used: ${describeTrouble(trouble)}`;
      down(`redis ${server}`, 'error', message, { server, reason: trouble.fault });
    },
    listening: () => {
      health({ hears: true });
      if (!wasListening) log.write('info', 'messages of other instances are heard', {});
      wasListening = true;
      conditions.over('listening', 'messages of other instances are heard again');
    },
    notListening: (trouble) => {
      health({ hears: false });
      faults.inc({ reason: trouble.fault });
      down('listening', 'warn', `messages of other instances are not heard: ${describeTrouble(trouble)}`, {
        reason: trouble.fault,
      });
    },
    redisOverloaded: () => faults.inc({ reason: 'overloaded' }),
  };
}
