import { backoff } from '../lib/backoff.ts';
import { monotonic } from '../lib/monotonic.ts';
import type { ChannelTimings } from './channel-timings.ts';
import { type Dialled, type Dialling, type DialTarget, dial } from './http2-dial.ts';

/** What the connector asks of and tells its channel. */
export interface ConnectorOwner {
  /** True while a request waits for the connection. */
  readonly waiting: () => boolean;
  opened(dialled: Dialled): void;
  /** A try failed; the next one comes in `retryInMs` by itself. */
  failed(error: Error, retryInMs: number): void;
}

/**
 * Makes one connection at a time, again and again until one opens. States: resting, pausing (a timer runs to the next
 * try), dialling, closed. The first try after a stable connection is immediate; each further one waits longer, up to
 * `retryWaitingCapMs` while requests wait and `retryIdleCapMs` while none does.
 */
export class Connector {
  readonly #target: DialTarget;
  readonly #timings: ChannelTimings;
  readonly #owner: ConnectorOwner;
  #dialling: Dialling | undefined;
  #pause: NodeJS.Timeout | undefined;
  #pauseEnds = 0;
  #lastTry = Number.NEGATIVE_INFINITY;
  #unstableTries = 0;
  #closed = false;

  constructor(target: DialTarget, timings: ChannelTimings, owner: ConnectorOwner) {
    this.#target = target;
    this.#timings = timings;
    this.#owner = owner;
  }

  /** Starts to connect, unless that is under way; a request that waits shortens a long pause. */
  want(): void {
    if (this.#closed || this.#dialling !== undefined) return;
    if (this.#pause === undefined) {
      this.#retryIn(this.#delay());
      return;
    }
    if (!this.#owner.waiting()) return;
    const soonest = this.#lastTry + this.#delay();
    if (soonest < this.#pauseEnds) this.#retryIn(soonest - monotonic());
  }

  /** The connection that opened last is gone; `openForMs` tells whether it was a stable one. */
  lost(openForMs: number): void {
    this.#judge(openForMs);
    const delay = this.#delay();
    this.#unstableTries++;
    this.#retryIn(delay);
  }

  /** The connection is given up on purpose: the next one is made at once. */
  replace(openForMs: number): void {
    this.#judge(openForMs);
    this.#retryIn(0);
  }

  /** No further try; `done` is called when no socket is left. */
  close(done: () => void): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    if (this.#dialling === undefined) done();
    else this.#dialling.cancel(done);
  }

  #judge(openForMs: number): void {
    if (openForMs >= this.#timings.stableAfterMs) this.#unstableTries = 0;
  }

  #delay(): number {
    if (this.#unstableTries === 0) return 0;
    const { retryBaseMs, retryWaitingCapMs, retryIdleCapMs } = this.#timings;
    const capMs = this.#owner.waiting() ? retryWaitingCapMs : retryIdleCapMs;
    return backoff(this.#unstableTries - 1, { baseMs: retryBaseMs, capMs });
  }

  #retryIn(delayMs: number): void {
    if (this.#closed || this.#dialling !== undefined) return;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (delayMs <= 0) {
      this.#dial();
      return;
    }
    this.#pauseEnds = monotonic() + delayMs;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#dial();
    }, delayMs);
  }

  #dial(): void {
    this.#lastTry = monotonic();
    this.#dialling = dial(this.#target, {
      opened: (dialled) => {
        this.#dialling = undefined;
        this.#owner.opened(dialled);
      },
      failed: (error) => {
        this.#dialling = undefined;
        const delay = this.#delay();
        this.#unstableTries++;
        this.#retryIn(delay);
        this.#owner.failed(error, delay);
      },
    });
  }
}
