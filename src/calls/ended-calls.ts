import { monotonic } from '../lib/monotonic.ts';
import type { CallEnding } from './call-outcome.ts';

/** What is remembered of a call after its end. */
export interface EndedCall {
  readonly ending: CallEnding;
  readonly account: number;
  /** Monotonic milliseconds: the call's own deadline. */
  readonly deadline: number;
}

/** How long an ended call is remembered: the reference kept its keys for 300 s. */
const REMEMBERED_MS = 300_000;

/** An ended call under one key, and the one that was remembered after it. */
interface Remembered extends EndedCall {
  readonly key: string;
  /** Monotonic milliseconds of the end. */
  readonly endedAt: number;
  next: Remembered | undefined;
}

/**
 * The calls that ended lately, by key. Bounded: past `limit` keys the oldest are forgotten. Their order is a list of its
 * own, because the first key of a Map is found by stepping over every one that was deleted before it.
 */
export class EndedCalls {
  readonly #limit: number;
  readonly #byKey = new Map<string, Remembered>();
  #oldest: Remembered | undefined;
  #newest: Remembered | undefined;
  /** Length of the list: those included whose key a later call has taken over. */
  #listed = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Remembers a call that has just ended; what was known under the key is replaced. */
  remember(key: string, { ending, account, deadline }: EndedCall): void {
    const ended: Remembered = { key, ending, account, deadline, endedAt: monotonic(), next: undefined };
    this.#byKey.set(key, ended);
    if (this.#newest === undefined) this.#oldest = ended;
    else this.#newest.next = ended;
    this.#newest = ended;
    this.#listed += 1;
    this.#forgetOld(ended.endedAt);
  }

  find(key: string): EndedCall | undefined {
    const ended = this.#byKey.get(key);
    return ended !== undefined && monotonic() - ended.endedAt <= REMEMBERED_MS ? ended : undefined;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  #forgetOld(now: number): void {
    let oldest = this.#oldest;
    while (oldest !== undefined && (this.#listed > this.#limit || now - oldest.endedAt > REMEMBERED_MS)) {
      if (this.#byKey.get(oldest.key) === oldest) this.#byKey.delete(oldest.key);
      this.#listed -= 1;
      oldest = oldest.next;
    }
    this.#oldest = oldest;
    if (oldest === undefined) this.#newest = undefined;
  }
}
