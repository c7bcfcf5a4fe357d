import { type FailureCounter, SPAN_MS } from './failure-counter.ts';

/** Keys that are counted at once; about 3 MB. */
const MAX_KEYS = 20_000;

/** Different tries of one key at once that are allowed whatever the limit: an app may use a password and a token. */
const AT_ONCE = 2;
/** Milliseconds within which tries under way have mostly ended. */
const SOON_MS = 1_000;

interface Span {
  failures: number;
  /** Monotonic milliseconds. */
  endsAt: number;
}

/** A counter in this process, which can be told what others have counted. */
export interface LocalFailures extends FailureCounter {
  /** All instances together have counted `failures` of this key in a span that lasts `leftMs` more. */
  learn(key: string, failures: number, leftMs: number): void;
}

/**
 * A span of a minute begins with a key's first failure; a key with `limit` failures in it is blocked until it is over.
 * Bounded: past 20,000 keys the ones that began first are forgotten.
 */
export function createLocalFailures(options: {
  /** Failures in a minute. */
  readonly limit: number;
  /** Told of each key that had to be forgotten before its time. */
  readonly onForgotten: () => void;
  /** Monotonic milliseconds. */
  readonly clock: () => number;
}): LocalFailures {
  const { limit, onForgotten, clock } = options;
  const spans = new Map<string, Span>();

  const find = (key: string, now: number): Span | undefined => {
    const span = spans.get(key);
    return span !== undefined && span.endsAt > now ? span : undefined;
  };

  const begin = (key: string, span: Span, now: number): void => {
    spans.delete(key);
    // A Map keeps the order of insertion, and a span that begins later ends later, but for those that were learnt.
    for (const [oldest, { endsAt }] of spans) {
      if (endsAt > now && spans.size < MAX_KEYS) break;
      if (endsAt > now) onForgotten();
      spans.delete(oldest);
    }
    spans.set(key, span);
  };

  return {
    blockedForMs: (key, underWay = 0) => {
      const now = clock();
      const span = find(key, now);
      if (span !== undefined && span.failures >= limit) return span.endsAt - now;
      return (span?.failures ?? 0) + underWay >= Math.max(limit, AT_ONCE) ? SOON_MS : 0;
    },
    failed: (key) => {
      const now = clock();
      const span = find(key, now);
      if (span === undefined) begin(key, { failures: 1, endsAt: now + SPAN_MS }, now);
      else if (span.failures < limit) span.failures += 1;
    },
    learn: (key, failures, leftMs) => {
      const now = clock();
      const span = find(key, now);
      if (failures < limit || leftMs <= 0) return;
      const endsAt = now + Math.min(leftMs, SPAN_MS);
      if (span === undefined) begin(key, { failures, endsAt }, now);
      else Object.assign(span, { failures, endsAt });
    },
  };
}
