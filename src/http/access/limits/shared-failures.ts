import { type FailureCounter, SPAN_MS } from './failure-counter.ts';
import type { LocalFailures } from './local-failures.ts';

/** The part of the link to Redis that counting needs. */
export interface CountingLink {
  /** Cheap; false while Redis does not do its work. */
  isUp(): boolean;
  /** Rejects where Redis cannot be asked, after `limitMs` at the latest. */
  run(
    script: { readonly name: string; readonly lua: string },
    keys: readonly string[],
    args: readonly (string | number)[],
    limitMs?: number,
  ): Promise<unknown>;
}

/** Tells Redis of one failure: how many there are in this span, and its milliseconds that are left. */
const COUNT = {
  name: 'count-failure',
  lua: `
local failures = redis.call('INCR', KEYS[1])
if failures == 1 then redis.call('PEXPIRE', KEYS[1], ARGV[1]) end
return {failures, redis.call('PTTL', KEYS[1])}`,
};

/** Commands in flight. Above it, a failure is counted by this instance alone, which is reported. */
const MAX_IN_FLIGHT = 200;
/** Milliseconds after which an answer of Redis is not waited for. */
const PATIENCE_MS = 1_000;

/**
 * Counts here at once and tells Redis behind: one command for each failure that counts, none for anything else. What all
 * instances have counted together comes back with it and blocks the key here from then on. Without Redis an instance
 * counts alone.
 */
export function createSharedFailures(options: {
  readonly local: LocalFailures;
  readonly link: CountingLink;
  /** Begins the names of the keys in Redis; ends as a prefix does, e.g. `vialer:limit:answers:`. */
  readonly prefix: string;
  /** Only this instance counts this failure; `error` says why, undefined: Redis is down or has too many to take. */
  readonly onUnshared: (error: unknown) => void;
}): FailureCounter {
  const { local, link, prefix, onUnshared } = options;
  let inFlight = 0;

  const tell = async (key: string): Promise<void> => {
    inFlight += 1;
    try {
      const [failures, leftMs] = readCount(await link.run(COUNT, [prefix + key], [SPAN_MS], PATIENCE_MS));
      local.learn(key, failures, leftMs);
    } catch (error) {
      onUnshared(error);
    } finally {
      inFlight -= 1;
    }
  };

  return {
    blockedForMs: (key, underWay) => local.blockedForMs(key, underWay),
    failed: (key) => {
      if (local.blockedForMs(key) > 0) return;
      local.failed(key);
      if (link.isUp() && inFlight < MAX_IN_FLIGHT) void tell(key);
      else onUnshared(undefined);
    },
  };
}

function readCount(answer: unknown): readonly [number, number] {
  const [failures, leftMs]: readonly unknown[] = Array.isArray(answer) ? answer : [];
  if (typeof failures !== 'number' || typeof leftMs !== 'number')
    throw new Error('Redis answered a count of failures with something else');
  return [failures, leftMs];
}
