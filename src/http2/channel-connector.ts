import { backoff } from '../lib/backoff.ts';
import { monotonic } from '../lib/monotonic.ts';
import type { ConnectFailure } from './channel-connect-error.ts';
import type { ChannelTimings } from './channel-timings.ts';
import type { ConnectionStanding } from './connection-types.ts';
import { type Dialled, type Dialling, type DialTarget, dial } from './dial.ts';

/** How much a connection is needed: for requests that wait without one, to keep one alive, beside others, or not. */
export type Need = 'waiting' | 'kept' | 'more' | 'none';

/** What the connector asks of and tells its channel. */
export interface ConnectorOwner {
  need(): Need;
  opened(dialled: Dialled): void;
  /** A try failed. The next one comes in `retryInMs` by itself, unless none is needed; 0: one is under way. */
  failed(error: Error, failure: ConnectFailure, retryInMs: number): void;
}

/**
 * Makes one connection at a time, again and again until one opens or none is needed. States: resting, pausing (a timer runs
 * to the next try), dialling, closed. The first try after a stable connection, or one that did its job, is immediate; each
 * further one waits longer, up to `retryWaitingCapMs` while requests wait without a connection, else `retryIdleCapMs`.
 *
 * A slow path is not a dead one: a try has `connectTimeoutMs`, whatever becomes of the call that wanted it. But a try may
 * also hang for good while a new one would succeed. So another one is started beside it, first after `connectAgainMs` or
 * twice what the last connection took, then at twice that; the first to open wins. At most four run at the same time.
 */
export class Connector {
  readonly #target: DialTarget;
  readonly #timings: ChannelTimings;
  readonly #owner: ConnectorOwner;
  /** Oldest first. */
  readonly #tries = new Set<Dialling>();
  #pause: NodeJS.Timeout | undefined;
  #pauseEnds = 0;
  #beside: NodeJS.Timeout | undefined;
  #lastTry = Number.NEGATIVE_INFINITY;
  #lastTookMs = 0;
  /** Tries and connections that failed in a row: of the only connection, and of further ones beside it. */
  readonly #failures = { only: 0, further: 0 };
  #closed = false;

  constructor(target: Omit<DialTarget, 'timeoutMs'>, timings: ChannelTimings, owner: ConnectorOwner) {
    this.#target = { ...target, timeoutMs: timings.connectTimeoutMs };
    this.#timings = timings;
    this.#owner = owner;
  }

  /** Starts to connect, unless that is under way; shortens a long pause, but for a further connection. */
  want(): void {
    if (this.#pause === undefined) {
      this.#retryIn(this.#delay());
      return;
    }
    if (this.#owner.need() === 'more') return;
    const soonest = this.#lastTry + this.#delay(this.#timings.retryWaitingCapMs);
    if (soonest < this.#pauseEnds) this.#retryIn(soonest - monotonic());
  }

  /** A connection takes no more requests: makes the next one, if one is needed. `served`: its end is no failure. */
  ended(standing: ConnectionStanding, openForMs: number): void {
    if (standing === 'served' || openForMs >= this.#timings.stableAfterMs) this.#failures[this.#kind] = 0;
    const delay = this.#delay();
    if (standing === 'unproven') this.#failures[this.#kind]++;
    if (this.#owner.need() !== 'none') this.#retryIn(delay);
  }

  /** What a connection that had promised to serve did in the end. */
  promiseOver(kept: boolean): void {
    this.#failures[this.#kind] = kept ? 0 : this.#failures[this.#kind] + 1;
  }

  /** No further try; `done` is called when no socket is left. */
  close(done: () => void): void {
    this.#closed = true;
    clearTimeout(this.#pause);
    this.#cancel(done);
  }

  #cancel(done: () => void): void {
    clearTimeout(this.#beside);
    let left = this.#tries.size;
    if (left === 0) done();
    for (const dialling of this.#tries) {
      dialling.cancel(() => {
        if (--left === 0) done();
      });
    }
    this.#tries.clear();
  }

  #delay(capMs = this.#longestDelay()): number {
    const failures = this.#failures[this.#kind];
    if (failures === 0) return 0;
    return backoff(failures - 1, { baseMs: this.#timings.retryBaseMs, capMs });
  }

  /** Which one would be made now: an outage that is over says nothing about connections beside the one that ended it. */
  get #kind(): 'only' | 'further' {
    const need = this.#owner.need();
    return need === 'more' || need === 'none' ? 'further' : 'only';
  }

  #longestDelay(): number {
    const { retryWaitingCapMs, retryIdleCapMs } = this.#timings;
    return this.#owner.need() === 'waiting' ? retryWaitingCapMs : retryIdleCapMs;
  }

  #retryIn(delayMs: number): void {
    if (this.#closed || this.#tries.size > 0) return;
    clearTimeout(this.#pause);
    this.#pause = undefined;
    if (delayMs <= 0) {
      this.#dial(Math.max(this.#timings.connectAgainMs, 2 * this.#lastTookMs));
      return;
    }
    this.#pauseEnds = monotonic() + delayMs;
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      if (this.#owner.need() !== 'none') this.#retryIn(0);
    }, delayMs);
  }

  #dial(besideMs: number): void {
    this.#lastTry = monotonic();
    const dialling = dial(this.#target, {
      opened: (dialled) => {
        this.#tries.delete(dialling);
        this.#cancel(() => {});
        this.#lastTookMs = dialled.tookMs;
        this.#owner.opened(dialled);
      },
      failed: (error) => {
        this.#tries.delete(dialling);
        if (this.#tries.size > 0) return;
        clearTimeout(this.#beside);
        const delay = this.#delay();
        this.#failures[this.#kind]++;
        if (this.#owner.need() !== 'none') this.#retryIn(delay);
        this.#owner.failed(error, error.failure, delay);
      },
    });
    this.#tries.add(dialling);
    clearTimeout(this.#beside);
    this.#beside = setTimeout(() => this.#dialBeside(besideMs), besideMs);
  }

  /** No try has opened a connection for `sinceMs`. */
  #dialBeside(sinceMs: number): void {
    const need = this.#owner.need();
    if (need === 'more' || need === 'none') {
      this.#beside = setTimeout(() => this.#dialBeside(sinceMs), sinceMs);
      return;
    }
    const [oldest] = this.#tries;
    const error = oldest?.late(Math.round(sinceMs));
    this.#dial(Math.max(sinceMs, 2 * this.#timings.connectAgainMs));
    if (error !== undefined) this.#owner.failed(error, {}, 0);
  }
}
