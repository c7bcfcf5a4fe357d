import type { PendingRequest } from './channel-pending.ts';
import { PendingQueue } from './channel-queue.ts';
import type { FailedReply } from './http2-channel-types.ts';

/** Requests that wait for a connection or a stream; those that were sent before go first. */
export class WaitingRequests {
  readonly #fresh = new PendingQueue();
  readonly #replays = new PendingQueue();

  /** All that wait. */
  get size(): number {
    return this.#fresh.size + this.#replays.size;
  }

  /** Those that were never sent: what the bound on the queue counts. */
  get fresh(): number {
    return this.#fresh.size;
  }

  /** Since when the one that waits longest does, monotonic milliseconds. */
  get since(): number | undefined {
    const fresh = this.#fresh.first?.waitingSince;
    const replay = this.#replays.first?.waitingSince;
    return fresh === undefined || replay === undefined ? (fresh ?? replay) : Math.min(fresh, replay);
  }

  /** Appends a new request. */
  push(pending: PendingRequest, now: number): void {
    pending.waitingSince = now;
    this.#fresh.push(pending);
  }

  /** Appends one that was sent before. */
  pushReplay(pending: PendingRequest, now: number): void {
    pending.waitingSince = now;
    this.#replays.push(pending);
  }

  /** Takes the next to be sent. */
  shift(): PendingRequest | undefined {
    return this.#replays.shift() ?? this.#fresh.shift();
  }

  /** Gives one failure to all that have waited since `before` or longer. */
  fail(reply: FailedReply, before = Number.POSITIVE_INFINITY): void {
    for (const queue of [this.#replays, this.#fresh]) {
      for (let next = queue.first; next !== undefined && next.waitingSince <= before; next = queue.first)
        next.settle(reply);
    }
  }
}
