import { Counter, type Gauge, type Registry } from 'prom-client';
import type { BusEvents } from '../calls/redis-bus/bus-events.ts';
import type { RedisEvents } from '../redis/redis-link.ts';
import { describeTrouble } from '../redis/redis-unavailable.ts';
import type { Log } from './log.ts';

/** Log line and metric of everything that happens between instances and with Redis. */
export function createBusTelemetry(
  log: Log,
  registry: Registry,
  redisHealth: Gauge,
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
  const found = counter('answers_found_total', 'Endings that were found in Redis, not heard of.', ['at']);
  const faults = counter('redis_faults_total', 'Times that Redis stopped working for this instance.', [
    'reason',
  ]);
  // Answers cross between instances only if commands work and messages are heard.
  const state = { works: false, hears: false };
  const health = (change: Partial<typeof state>) => {
    Object.assign(state, change);
    redisHealth.set(state.works && state.hears ? 1 : 0);
  };
  const failed = (during: string, error: unknown) => {
    faults.inc({ reason: 'script' });
    log.writeError('a script in Redis failed by a fault of this service', error, { during });
  };
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
      log.write('info', 'Redis works', {});
    },
    redisDown: (trouble) => {
      health({ works: false });
      faults.inc({ reason: trouble.fault });
      log.write('error', `Redis cannot be used, this instance goes on alone: ${describeTrouble(trouble)}`, {
        reason: trouble.fault,
      });
    },
    shardUp: ({ server }) => log.write('info', 'a master of the Redis Cluster answers', { server }),
    shardDown: ({ server, ...trouble }) => {
      faults.inc({ reason: trouble.fault });
      log.write('error', `a master of the Redis Cluster cannot be used: ${describeTrouble(trouble)}`, {
        server,
        reason: trouble.fault,
      });
    },
    listening: () => {
      health({ hears: true });
      log.write('info', 'messages of other instances are heard', {});
    },
    notListening: (trouble) => {
      health({ hears: false });
      faults.inc({ reason: trouble.fault });
      log.write('warn', `messages of other instances are not heard: ${describeTrouble(trouble)}`, {
        reason: trouble.fault,
      });
    },
    redisOverloaded: () => faults.inc({ reason: 'overloaded' }),
  };
}
