import type { Call } from '../../calls/call.ts';
import { newUniqueKey } from '../../calls/unique-key.ts';

/** A call that waits here and that Redis knows, or will know when it answers again. */
export interface HeldCall {
  readonly call: Call;
  /** Monotonic milliseconds: the deadline that the call has when this instance wakes its phone. */
  readonly ownDeadline: number;
  /** Wakes the phone from here. */
  readonly wake: () => void;
  /** Redis has said that it knows the call. */
  confirmed: boolean;
  /** The same wherever the call waits; that of another call with the same unique key differs. */
  turn: string;
}

/** The calls that wait here; bounded by the waiting room's places. */
export class HeldCalls {
  readonly #byCall = new Map<Call, HeldCall>();
  readonly #untold = new Set<HeldCall>();

  add(call: Call, wake: () => void): HeldCall {
    const held = { call, ownDeadline: call.deadline, wake, confirmed: false, turn: newUniqueKey() };
    this.#byCall.set(call, held);
    return held;
  }

  /** What was held of the call, if it was there. */
  remove(call: Call): HeldCall | undefined {
    const held = this.#byCall.get(call);
    if (held === undefined) return undefined;
    this.#byCall.delete(call);
    this.#untold.delete(held);
    return held;
  }

  find(call: Call): HeldCall | undefined {
    return this.#byCall.get(call);
  }

  /** Redis did not say that it knows the call, or a key of it: it is to be told. */
  untold(held: HeldCall): void {
    if (this.#byCall.has(held.call)) this.#untold.add(held);
  }

  /** Redis has been told of it. */
  told(held: HeldCall): void {
    this.#untold.delete(held);
  }

  all(): readonly HeldCall[] {
    return [...this.#byCall.values()];
  }

  /** Those that Redis is to be told of. */
  allUntold(): readonly HeldCall[] {
    return [...this.#untold];
  }
}
