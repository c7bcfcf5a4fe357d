import { createLoneBus } from '../bus/lone-bus.ts';
import type { BusEvents } from '../bus/redis/bus-events.ts';
import { busProbe } from '../bus/redis/bus-probe.ts';
import { RedisBus } from '../bus/redis/redis-bus.ts';
import { BUS_SCRIPTS } from '../bus/redis/scripts.ts';
import type { AnswerBus } from '../calls/answer-bus.ts';
import type { WaitingRoom } from '../calls/waiting-room.ts';
import { openRedis } from '../redis/open-redis.ts';
import type { RedisSettings } from '../redis/redis-address.ts';
import type { RedisEvents, RedisLink } from '../redis/redis-link.ts';
import { describeTrouble } from '../redis/redis-unavailable.ts';

/** What is between this instance and the others. */
export interface BusParts {
  readonly bus: AnswerBus;
  /** Undefined for an instance that is alone. */
  readonly redis: RedisLink | undefined;
  /** What does not work as it should although calls go on. */
  degraded(): readonly string[];
  /** Why this instance must not be sent calls. */
  notReady(): readonly string[];
  /** Tells the other instances what they must know, then closes the connections. */
  close(): Promise<void>;
}

/**
 * Milliseconds between two looks at the calls that wait, for messages that were lost without a sign: about once in a
 * call's wait.
 */
const LOOK_EVERY_MS = 5_000;

/** Builds the bus: through Redis where there is one, else for this instance alone. */
export function createBusParts(options: {
  readonly settings: (RedisSettings & { readonly required: boolean }) | undefined;
  readonly room: WaitingRoom;
  readonly events: BusEvents & RedisEvents;
}): BusParts {
  const { settings, room, events } = options;
  if (settings === undefined) {
    const bus = createLoneBus(room);
    return { bus, redis: undefined, degraded: () => [], notReady: () => [], close: () => bus.close() };
  }
  const { prefix, required, timeoutMs, place } = settings;
  const setting = place.kind === 'cluster' ? 'REDIS_SERVER_LIST' : 'REDIS_URL';
  const redis = openRedis(settings, events, { scripts: BUS_SCRIPTS, probe: busProbe(prefix) });
  const bus = new RedisBus({
    link: redis,
    room,
    prefix,
    timeoutMs,
    required,
    lookEveryMs: LOOK_EVERY_MS,
    events,
  });
  const trouble = (): readonly string[] => {
    const found = redis.trouble();
    if (found === undefined) return [];
    const effect = required
      ? 'Every call is refused, because REDIS_REQUIRED is on'
      : 'A call rings only if its app answers at the instance that holds it';
    return [`Redis cannot be used (${setting}): ${describeTrouble(found)}. ${effect}`];
  };
  return {
    bus,
    redis,
    degraded: () => (required && !redis.isUp() ? [] : trouble()),
    notReady: () => (required && !redis.isUp() ? trouble() : []),
    close: async () => {
      await bus.close();
      await redis.close();
    },
  };
}
