import type { PushTarget } from '../devices/device.ts';
import { monotonic } from '../lib/monotonic.ts';
import type { AnswerFate } from './answer-bus.ts';
import { Call, type CallAsk } from './call.ts';
import { CallMemory } from './call-memory.ts';
import type { CallEnding } from './call-outcome.ts';
import { CallsByCallId } from './calls-by-call-id.ts';
import { canCarry, newUniqueKey } from './unique-key.ts';

/** What `enter` found: a place, or why there is none. */
export type Entry =
  | { readonly kind: 'entered'; readonly call: Call }
  | { readonly kind: 'refused'; readonly outcome: 'overloaded' | 'shutting-down' };

/** What is known of a call_id for an account: a call that waits, or one whose app answered just now. */
export type Repeat =
  | { readonly kind: 'waiting'; readonly call: Call }
  | { readonly kind: 'answered'; readonly ending: CallEnding };

/** Requests that may wait for one call: a PBX that repeats itself without end takes no place of other calls. */
const MOST_REQUESTS = 16;

/**
 * The calls that wait, by the keys that their apps may answer to (`#byKey`) and by the PBX's call_id and account
 * (`#byCallId`). A call is in both from `enter` until it is settled; settling is the only way out and hands it to
 * `#memory`, which tells a second answer, a late one and an unknown one apart. All operations cost the same at 1 call and
 * at 50,000. Once closed, the room takes no further call.
 */
export class WaitingRoom {
  readonly #maxWaiting: number;
  readonly #waitMs: number;
  readonly #callIdsAreKeys: boolean;
  readonly #answersToCallIds: boolean;
  /** Makes a key that no call has. */
  readonly newKey: () => string;
  readonly #byKey = new Map<string, Call>();
  readonly #byCallId = new CallsByCallId();
  readonly #memory: CallMemory;
  readonly #emptied = new Set<() => void>();
  #waiting = 0;
  #requests = 0;
  #changes = 0;
  #closed = false;

  constructor(options: {
    /** Calls that may wait at once. */
    readonly maxWaiting: number;
    /** Milliseconds from the PBX's request to the last moment of its answer. */
    readonly waitMs: number;
    /** Makes every call's key, if the PBX's call_id may not be one. */
    readonly newKey?: (() => string) | undefined;
    /** False: an app cannot answer to the PBX's call_id, which a later call may have again. Default true. */
    readonly answersToCallIds?: boolean;
  }) {
    this.#maxWaiting = options.maxWaiting;
    this.#waitMs = options.waitMs;
    this.#callIdsAreKeys = options.newKey === undefined;
    this.#answersToCallIds = options.answersToCallIds ?? true;
    this.newKey = options.newKey ?? newUniqueKey;
    this.#memory = new CallMemory(Math.max(1_000, options.maxWaiting * 2));
  }

  /** Calls that wait now. */
  get size(): number {
    return this.#waiting;
  }

  /** PBX requests that are held now: at least one for each call, more if a PBX has asked again. */
  get requests(): number {
    return this.#requests;
  }

  /** How often calls came and went: while it is the same, what was found is still true. */
  get changes(): number {
    return this.#changes;
  }

  /** Finds the call that a repeated request (a PBX retry, a second leg) belongs to. */
  findRepeat(callId: string, account: number): Repeat | undefined {
    const waiting = this.#byCallId.find(callId, account);
    if (waiting !== undefined) return { kind: 'waiting', call: waiting };
    const ending = this.#memory.answerTo(callId, account);
    return ending === undefined ? undefined : { kind: 'answered', ending };
  }

  /** Takes a place for the call, after which the app's answer is heard. To be called before anything is pushed. */
  enter(ask: CallAsk, device: PushTarget): Entry {
    if (this.#closed) return { kind: 'refused', outcome: 'shutting-down' };
    if (this.#requests >= this.#maxWaiting) return { kind: 'refused', outcome: 'overloaded' };
    const callIdIsFree =
      this.#answersToCallIds &&
      ask.callId !== undefined &&
      !this.#byKey.has(ask.callId) &&
      this.#memory.isFree(ask.callId, ask.account);
    const call = new Call({
      ask,
      device,
      uniqueKey:
        callIdIsFree &&
        ask.callId !== undefined &&
        this.#callIdsAreKeys &&
        canCarry(device.platform, ask.callId)
          ? ask.callId
          : this.newKey(),
      answersToCallId: callIdIsFree,
      waitMs: this.#waitMs,
      leave: this.#leave,
    });
    this.#seat(call);
    return { kind: 'entered', call };
  }

  /** Why no further request may wait for this call, for a person; undefined: it may. */
  refusalToJoin(call: Call): string | undefined {
    if (call.callers >= MOST_REQUESTS) return 'too many requests for this call';
    return this.#requests >= this.#maxWaiting ? 'MAX_WAITING_CALLS' : undefined;
  }

  /** One more PBX request waits for the call. */
  callerCame(call: Call): void {
    if (!call.isOver()) this.#requests += 1;
    call.callers += 1;
  }

  /** A PBX request was dropped; when none waits any more, the call ends. */
  callerLeft(call: Call): void {
    if (call.isOver()) return;
    this.#requests -= 1;
    call.callers -= 1;
    if (call.callers === 0) call.settle('caller-gone');
  }

  /** The call that waits for answers to this key. */
  find(key: string): Call | undefined {
    return this.#byKey.get(key);
  }

  /** How the call of this key ended, while that is remembered. */
  endingOf(key: string): CallEnding | undefined {
    return this.#memory.endingOf(key);
  }

  /** Lets a call that waits answer to another key, before anything was pushed with the first one. */
  rekey(call: Call, uniqueKey: string, answersToCallId: boolean): void {
    if (call.isOver()) return;
    this.#unseatKeys(call);
    call.uniqueKey = uniqueKey;
    call.answersToCallId = answersToCallId;
    this.#seatKeys(call);
  }

  /** The app's word for a key: the first one settles the call. */
  answer(key: string, available: boolean): AnswerFate {
    const call = this.#byKey.get(key);
    if (call !== undefined) {
      call.answeredAt = monotonic();
      call.settle(available ? 'ready' : 'declined');
      return 'taken';
    }
    return this.#memory.fateOf(key);
  }

  /** The PBX gives the call up. Returns how many waits that ended. */
  cancel(callId: string, reason: string | null): number {
    return this.#byCallId.all(callId).filter((call) => call.settle('cancelled', reason)).length;
  }

  /** Ends every call that still waits as `shutting-down`, and so will whoever comes later. */
  close(): void {
    this.#closed = true;
    for (const call of [...this.#byKey.values()]) call.settle('shutting-down');
  }

  /** Resolves when no call waits, at the latest after `limitMs`. */
  async whenEmpty(limitMs: number): Promise<void> {
    if (this.#waiting === 0) return;
    await new Promise<void>((resolve) => {
      const done = () => {
        clearTimeout(timer);
        this.#emptied.delete(done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#emptied.add(done);
    });
  }

  #seat(call: Call): void {
    const { callId } = call.ask;
    this.#changes += 1;
    this.#waiting += 1;
    this.#seatKeys(call);
    if (callId !== undefined) this.#byCallId.add(callId, call);
  }

  #seatKeys(call: Call): void {
    const { callId } = call.ask;
    this.#byKey.set(call.uniqueKey, call);
    if (callId !== undefined && callId !== call.uniqueKey && call.answersToCallId)
      this.#byKey.set(callId, call);
  }

  /** A key may have gone to another call meanwhile. */
  #unseatKeys(call: Call): void {
    for (const key of [call.uniqueKey, call.ask.callId]) {
      if (key !== undefined && this.#byKey.get(key) === call) this.#byKey.delete(key);
    }
  }

  readonly #leave = (call: Call): void => {
    const { callId } = call.ask;
    this.#changes += 1;
    this.#waiting -= 1;
    this.#requests -= call.callers;
    this.#unseatKeys(call);
    if (callId !== undefined) this.#byCallId.remove(callId, call);
    if (call.ending !== undefined) this.#memory.remember(call, call.ending);
    if (this.#waiting === 0) for (const done of [...this.#emptied]) done();
  };
}
