/** Counts failures by who caused them, and says who had too many. Both are done without waiting for anything. */
export interface FailureCounter {
  /**
   * Milliseconds until this one may try again; 0 where it may now. Other tries under way may all fail: with the failures
   * they must stay below the limit, but two at the same moment are always allowed.
   */
  blockedForMs(key: string, underWay?: number): number;
  /** One more failure. Not counted any more once the key is over its limit. */
  failed(key: string): void;
}

/** Length of the span in which failures are counted. */
export const SPAN_MS = 60_000;

/** Where nothing is limited. */
export const NO_LIMIT: FailureCounter = { blockedForMs: () => 0, failed: () => {} };
