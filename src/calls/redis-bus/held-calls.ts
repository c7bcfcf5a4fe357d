import type { Call } from '../call.ts';

/** A call that waits here and that Redis knows, or will know when it answers again. */
export interface HeldCall {
  readonly call: Call;
  /** Monotonic milliseconds: the deadline that the call has when this instance wakes its phone. */
  readonly ownDeadline: number;
  /** Wakes the phone from here. */
  readonly wake: () => void;
}

/** The calls that wait here; bounded by the waiting room's places. */
export class HeldCalls {
  readonly #byCall = new Map<Call, HeldCall>();

  add(call: Call, wake: () => void): HeldCall {
    const held = { call, ownDeadline: call.deadline, wake };
    this.#byCall.set(call, held);
    return held;
  }

  /** What was held of the call, if it was there. */
  remove(call: Call): HeldCall | undefined {
    const held = this.#byCall.get(call);
    this.#byCall.delete(call);
    return held;
  }

  has(call: Call): boolean {
    return this.#byCall.has(call);
  }

  calls(): readonly Call[] {
    return [...this.#byCall.keys()];
  }
}
