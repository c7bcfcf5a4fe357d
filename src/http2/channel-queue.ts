import type { PendingRequest } from './channel-pending.ts';

/** Requests in order of arrival: a linked list, so that one whose deadline passes leaves from the middle at no cost. */
export class PendingQueue {
  #first: PendingRequest | undefined;
  #last: PendingRequest | undefined;
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  /** The oldest. */
  get first(): PendingRequest | undefined {
    return this.#first;
  }

  /** Appends a request that is in no queue. */
  push(pending: PendingRequest): void {
    pending.queue = this;
    pending.previous = this.#last;
    if (this.#last === undefined) this.#first = pending;
    else this.#last.next = pending;
    this.#last = pending;
    this.#size++;
  }

  /** Takes the oldest, or nothing when empty. */
  shift(): PendingRequest | undefined {
    const first = this.#first;
    if (first !== undefined) this.remove(first);
    return first;
  }

  /** Takes out a request that is in this queue. */
  remove(pending: PendingRequest): void {
    if (pending.queue !== this) return;
    if (pending.previous === undefined) this.#first = pending.next;
    else pending.previous.next = pending.next;
    if (pending.next === undefined) this.#last = pending.previous;
    else pending.next.previous = pending.previous;
    pending.queue = undefined;
    pending.previous = undefined;
    pending.next = undefined;
    this.#size--;
  }
}
