/** The bounds of a growing delay, in milliseconds. */
export interface BackoffBounds {
  readonly baseMs: number;
  readonly capMs: number;
}

/**
 * Milliseconds to wait before try number `attempt` (0 is the first): doubles from `baseMs` up to `capMs`, and a random
 * half is taken off so that many waiting for the same peer do not come back together.
 */
export function backoff(attempt: number, bounds: BackoffBounds, random: () => number = Math.random): number {
  const full = Math.min(bounds.capMs, bounds.baseMs * 2 ** Math.min(attempt, 30));
  return full * (1 - random() / 2);
}
