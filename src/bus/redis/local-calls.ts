import type { Call } from '../../calls/call.ts';
import { newUniqueKey } from '../../calls/unique-key.ts';

/** A call that waits here and that Redis knows, or will know when it answers again. */
export interface LocalCall {
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
export class LocalCalls {
  readonly #byCall = new Map<Call, LocalCall>();
  readonly #untold = new Set<LocalCall>();

  add(call: Call, wake: () => void): LocalCall {
    const local = { call, ownDeadline: call.deadline, wake, confirmed: false, turn: newUniqueKey() };
    this.#byCall.set(call, local);
    return local;
  }

  /** Takes the call out; undefined if it was not here. */
  remove(call: Call): LocalCall | undefined {
    const local = this.#byCall.get(call);
    if (local === undefined) return undefined;
    this.#byCall.delete(call);
    this.#untold.delete(local);
    return local;
  }

  find(call: Call): LocalCall | undefined {
    return this.#byCall.get(call);
  }

  /** Redis did not say that it knows the call, or a key of it: it is to be told. */
  untold(local: LocalCall): void {
    if (this.#byCall.has(local.call)) this.#untold.add(local);
  }

  /** Redis has been told of it. */
  told(local: LocalCall): void {
    this.#untold.delete(local);
  }

  all(): readonly LocalCall[] {
    return [...this.#byCall.values()];
  }

  /** Those that Redis is to be told of. */
  allUntold(): readonly LocalCall[] {
    return [...this.#untold];
  }
}
