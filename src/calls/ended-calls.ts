import { monotonic } from '../lib/monotonic.ts';
import type { Call } from './call.ts';
import type { CallEnding } from './call-outcome.ts';

/** What is remembered of a call after its end. */
export interface EndedCall {
  readonly account: number;
  readonly ending: CallEnding;
  /** Monotonic milliseconds: the call's own deadline. */
  readonly deadline: number;
  /** Monotonic milliseconds of the end. */
  readonly endedAt: number;
}

/** How long an ended call is remembered: the reference kept its keys for 300 s. */
const REMEMBERED_MS = 300_000;

/**
 * The calls that ended lately, by every key they answered to, so that a second answer, a late one and one that
 * nobody waited for are told apart. Bounded: past `limit` keys the oldest are forgotten, and then count as unknown.
 */
export class EndedCalls {
  readonly #limit: number;
  readonly #byKey = new Map<string, EndedCall>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  remember(call: Call, ending: CallEnding): void {
    const endedAt = monotonic();
    const ended: EndedCall = { account: call.ask.account, ending, deadline: call.deadline, endedAt };
    this.#put(call.uniqueKey, ended);
    if (call.answersToCallId && call.ask.callId !== undefined) this.#put(call.ask.callId, ended);
    this.#forgetOld(endedAt);
  }

  find(key: string): EndedCall | undefined {
    const ended = this.#byKey.get(key);
    return ended !== undefined && monotonic() - ended.endedAt <= REMEMBERED_MS ? ended : undefined;
  }

  forget(key: string): void {
    this.#byKey.delete(key);
  }

  /** Keys remembered. */
  get size(): number {
    return this.#byKey.size;
  }

  #put(key: string, ended: EndedCall): void {
    this.#byKey.delete(key);
    this.#byKey.set(key, ended);
  }

  /** A Map keeps the order of insertion, so the oldest are first: each key is visited once, when it goes. */
  #forgetOld(now: number): void {
    for (const [key, ended] of this.#byKey) {
      if (this.#byKey.size <= this.#limit && now - ended.endedAt <= REMEMBERED_MS) return;
      this.#byKey.delete(key);
    }
  }
}
