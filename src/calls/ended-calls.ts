import { monotonic } from '../lib/monotonic.ts';
import type { CallEnding } from './call-outcome.ts';

/** What is remembered of a call after its end. */
export interface EndedCall {
  readonly ending: CallEnding;
  /** Monotonic milliseconds: the call's own deadline. */
  readonly deadline: number;
}

/** How long an ended call is remembered: the reference kept its keys for 300 s. */
const REMEMBERED_MS = 300_000;

interface Remembered extends EndedCall {
  /** Monotonic milliseconds of the end. */
  readonly endedAt: number;
}

/** The calls that ended lately, by key. Bounded: past `limit` keys the oldest are forgotten. */
export class EndedCalls {
  readonly #limit: number;
  readonly #byKey = new Map<string, Remembered>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Remembers a call that has just ended; what was known under the key is replaced. */
  remember(key: string, { ending, deadline }: EndedCall): void {
    const endedAt = monotonic();
    this.#byKey.delete(key);
    this.#byKey.set(key, { ending, deadline, endedAt });
    this.#forgetOld(endedAt);
  }

  find(key: string): EndedCall | undefined {
    const ended = this.#byKey.get(key);
    return ended !== undefined && monotonic() - ended.endedAt <= REMEMBERED_MS ? ended : undefined;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  /** A Map keeps the order of insertion, so the oldest are first: each key is visited once, when it goes. */
  #forgetOld(now: number): void {
    for (const [key, ended] of this.#byKey) {
      if (this.#byKey.size <= this.#limit && now - ended.endedAt <= REMEMBERED_MS) return;
      this.#byKey.delete(key);
    }
  }
}
