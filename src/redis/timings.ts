import type { BackoffBounds } from '../lib/backoff.ts';

/** Pauses between two tries to connect, in milliseconds. */
export const RECONNECT: BackoffBounds = { baseMs: 50, capMs: 1_000 };

/** Between two looks at a connection that works, in milliseconds. */
export const HEARTBEAT_MS = 1_000;

/** Between two looks at a server that answers and refuses to work, in milliseconds. */
export const REFUSED_PAUSE_MS = 250;

/** Silence in milliseconds after which a connection is given up, and the most that a new one may take. */
export function stallMs(timeoutMs: number): number {
  return Math.max(1_000, 2 * timeoutMs);
}

/** Between two readings of a Cluster's slot table while all is well, and while something is not, in milliseconds. */
export const TABLE_MS = 10_000;
export const TABLE_UNWELL_MS = 500;

/** The least time between two readings, however many commands were redirected, in milliseconds. */
export const TABLE_LEAST_MS = 100;
