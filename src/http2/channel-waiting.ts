import type { PendingRequest } from './channel-pending.ts';
import { PendingQueue } from './channel-queue.ts';
import type { FailedReply } from './channel-types.ts';

/** Requests that wait to be sent alone at most; each takes a connection for itself. */
const MOST_ALONE = 32;

/** Requests that wait for a connection or a stream; those that were sent before go first. */
export class WaitingRequests {
  readonly #fresh = new PendingQueue();
  readonly #replays = new PendingQueue();
  readonly #alone = new PendingQueue();

  /** All that wait. */
  get size(): number {
    return this.shared + this.#alone.size;
  }

  /** Those that any connection with room may take. */
  get shared(): number {
    return this.#fresh.size + this.#replays.size;
  }

  /** Those that were never sent: what the bound on the queue counts. */
  get fresh(): number {
    return this.#fresh.size;
  }

  /** Since when the one that waits longest does, monotonic milliseconds. */
  get since(): number | undefined {
    let since: number | undefined;
    for (const { first } of [this.#fresh, this.#replays, this.#alone])
      if (first !== undefined && !(since !== undefined && since <= first.waitingSince))
        since = first.waitingSince;
    return since;
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

  /** Appends one that is sent on a connection of its own. False: too many wait for that. */
  pushAlone(pending: PendingRequest, now: number): boolean {
    if (this.#alone.size >= MOST_ALONE) return false;
    pending.waitingSince = now;
    this.#alone.push(pending);
    return true;
  }

  /** Whether one waits to be sent alone. */
  get wantsAlone(): boolean {
    return this.#alone.size > 0;
  }

  /** Takes the next to be sent alone. */
  shiftAlone(): PendingRequest | undefined {
    return this.#alone.shift();
  }

  /** Takes the next to be sent. */
  shift(): PendingRequest | undefined {
    return this.#replays.shift() ?? this.#fresh.shift();
  }

  /** Gives one failure to all that have waited since `before` or longer. */
  fail(reply: FailedReply, before = Number.POSITIVE_INFINITY): void {
    for (const queue of [this.#alone, this.#replays, this.#fresh]) {
      for (let next = queue.first; next !== undefined && next.waitingSince <= before; next = queue.first)
        next.settle(reply);
    }
  }
}
