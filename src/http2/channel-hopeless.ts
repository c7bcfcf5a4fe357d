import { monotonic } from '../lib/monotonic.ts';
import type { CertainFailure } from './channel-connect-error.ts';
import type { WaitingRequests } from './channel-waiting.ts';

/**
 * Ends requests that wait for a connection which certainly cannot be made, e.g. because nothing listens: a caller need not
 * wait for it. Each gets `afterMs` from when it began to wait, or from when the last connection was lost, so that a peer
 * that restarts quickly loses nothing; and at least one try fails while it waits.
 */
export class Hopeless {
  readonly #waiting: WaitingRequests;
  readonly #afterMs: number;
  #reason: CertainFailure | undefined;
  #failedAt = 0;
  #lostAt = Number.NEGATIVE_INFINITY;
  #timer: NodeJS.Timeout | undefined;

  constructor(waiting: WaitingRequests, afterMs: number) {
    this.#waiting = waiting;
    this.#afterMs = afterMs;
  }

  /** The last connection is lost. */
  lost(): void {
    this.#lostAt = monotonic();
  }

  /** A try to connect failed; `reason` where the cause is certain. */
  failed(reason: CertainFailure | undefined): void {
    this.#reason = reason;
    this.#failedAt = monotonic();
    this.#sweep();
  }

  /** A connection is open, or none is wanted any more. */
  over(): void {
    this.#reason = undefined;
    clearTimeout(this.#timer);
  }

  #sweep(): void {
    clearTimeout(this.#timer);
    const reason = this.#reason;
    if (reason === undefined) return;
    const now = monotonic();
    if (this.#lostAt + this.#afterMs <= now)
      this.#waiting.fail({ kind: 'failed', reason }, Math.min(now - this.#afterMs, this.#failedAt));
    const since = this.#waiting.since;
    // One that began to wait after the last try is looked at when the next one fails.
    if (since === undefined || since > this.#failedAt) return;
    const due = Math.max(since, this.#lostAt) + this.#afterMs;
    this.#timer = setTimeout(() => this.#sweep(), Math.max(1, due - now));
  }
}
