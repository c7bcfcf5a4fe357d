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

interface Remembered extends EndedCall {
  /** Monotonic milliseconds of the end. */
  readonly endedAt: number;
}

/**
 * The calls that ended lately, by key: at least the last `limit` ones, and at most twice as many. They are kept in two
 * generations. When the young one is full, or has been filled for as long as a call is remembered, it becomes the old one,
 * and what was the old one is forgotten all at once: to take out each call by itself would cost more than all else here.
 */
export class EndedCalls {
  readonly #limit: number;
  #young = new Map<string, Remembered>();
  #youngSince = monotonic();
  #old: ReadonlyMap<string, Remembered> = new Map();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Whether none is remembered. */
  get isEmpty(): boolean {
    return this.#young.size === 0 && this.#old.size === 0;
  }

  /** Remembers a call that has just ended; what was known under the key is replaced. */
  remember(key: string, { ending, account, deadline }: EndedCall): void {
    const endedAt = monotonic();
    if (this.#young.size >= this.#limit || endedAt - this.#youngSince > REMEMBERED_MS) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#youngSince = endedAt;
    }
    this.#young.set(key, { ending, account, deadline, endedAt });
  }

  find(key: string): EndedCall | undefined {
    const ended = this.#young.get(key) ?? this.#old.get(key);
    return ended !== undefined && monotonic() - ended.endedAt <= REMEMBERED_MS ? ended : undefined;
  }
}
