import type { PushTarget } from '../devices/device.ts';
import { monotonic } from '../lib/monotonic.ts';
import type { AnswerFate } from './answer-bus.ts';
import { Call, type CallAsk } from './call.ts';
import type { CallEnding } from './call-outcome.ts';
import { type EndedCall, EndedCalls } from './ended-calls.ts';
import { canCarry, newUniqueKey } from './unique-key.ts';

/** What `enter` found: a place, or why there is none. */
export type Entry =
  | { readonly kind: 'entered'; readonly call: Call }
  | { readonly kind: 'refused'; readonly outcome: 'overloaded' | 'shutting-down' };

/** What is known of a call_id for an account: a call that waits, or one whose app answered just now. */
export type Repeat =
  | { readonly kind: 'waiting'; readonly call: Call }
  | { readonly kind: 'answered'; readonly ending: CallEnding };

/**
 * The calls that wait, by the keys that their apps may answer to (`#byKey`) and by the PBX's call_id (`#byCallId`,
 * a chain where one call_id rings several accounts). A call is in both from `enter` until it is settled; settling
 * is the only way out and moves it to `#ended`, which tells a second answer, a late one and one that nobody waited for
 * apart, and a PBX that asks again what it was told. For that, a call that its app answered is kept in `#answered`, by
 * call_id and account, where the call_id is another account's key. All operations cost the same at 1 call and at 50,000.
 * Once closed, the room lets nobody in any more.
 */
export class WaitingRoom {
  readonly #maxWaiting: number;
  readonly #waitMs: number;
  readonly #callIdsAreKeys: boolean;
  /** Makes a key that no call has. */
  readonly newKey: () => string;
  readonly #byKey = new Map<string, Call>();
  readonly #byCallId = new Map<string, Call>();
  readonly #ended: EndedCalls;
  readonly #answered: EndedCalls;
  readonly #emptied = new Set<() => void>();
  #waiting = 0;
  #changes = 0;
  #closed = false;

  constructor(options: {
    /** Calls that may wait at once. */
    readonly maxWaiting: number;
    /** Milliseconds from the PBX's request to the last moment of its answer. */
    readonly waitMs: number;
    /** Makes every call's key, where the PBX's call_id may not be one. */
    readonly newKey?: (() => string) | undefined;
  }) {
    this.#maxWaiting = options.maxWaiting;
    this.#waitMs = options.waitMs;
    this.#callIdsAreKeys = options.newKey === undefined;
    this.newKey = options.newKey ?? newUniqueKey;
    const remembered = Math.max(1_000, options.maxWaiting * 2);
    this.#ended = new EndedCalls(remembered);
    this.#answered = new EndedCalls(remembered);
  }

  /** Calls that wait now. */
  get size(): number {
    return this.#waiting;
  }

  /** How often calls came and went: while it is the same, what was found is still true. */
  get changes(): number {
    return this.#changes;
  }

  /** Finds the call that a repeated request (a PBX retry, a second leg) belongs to. */
  findRepeat(callId: string, account: number): Repeat | undefined {
    for (let call = this.#byCallId.get(callId); call !== undefined; call = call.sibling) {
      if (call.ask.account === account) return { kind: 'waiting', call };
    }
    const ended = this.#ended.find(callId);
    const answered =
      ended !== undefined && ended.account === account && isAnswer(ended.ending)
        ? ended
        : this.#findAnswered(callId, account);
    if (answered === undefined || monotonic() > answered.deadline) return undefined;
    return { kind: 'answered', ending: answered.ending };
  }

  /** Takes a place for the call, after which the app's answer is heard. To be called before anything is pushed. */
  enter(ask: CallAsk, device: PushTarget): Entry {
    if (this.#closed) return { kind: 'refused', outcome: 'shutting-down' };
    if (this.#waiting >= this.#maxWaiting) return { kind: 'refused', outcome: 'overloaded' };
    const callIdIsFree = ask.callId !== undefined && this.#isFree(ask.callId, ask.account);
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

  /** The call that waits for answers to this key. */
  find(key: string): Call | undefined {
    return this.#byKey.get(key);
  }

  /** How the call of this key ended, while that is remembered. */
  endingOf(key: string): CallEnding | undefined {
    return this.#ended.find(key)?.ending;
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
    const ended = this.#ended.find(key);
    if (ended === undefined) return 'unknown';
    const inTime = isAnswer(ended.ending) && monotonic() <= ended.deadline;
    return inTime ? 'duplicate' : 'late';
  }

  /** The PBX gives the call up. Returns how many waits that ended. */
  cancel(callId: string, reason: string | null): number {
    let ended = 0;
    for (let call = this.#byCallId.get(callId); call !== undefined; ) {
      const next: Call | undefined = call.sibling;
      if (call.settle('cancelled', reason)) ended += 1;
      call = next;
    }
    return ended;
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

  /** Whether a call_id may be a key: a late answer to one account's call must not be one to the next account's. */
  #isFree(callId: string, account: number): boolean {
    if (this.#byKey.has(callId)) return false;
    const ended = this.#ended.find(callId);
    return ended === undefined || ended.account === account;
  }

  /** A call that its app answered under another key than its call_id; most rooms have none, and make no key to look for it. */
  #findAnswered(callId: string, account: number): EndedCall | undefined {
    return this.#answered.isEmpty ? undefined : this.#answered.find(repeatKey(callId, account));
  }

  #seat(call: Call): void {
    const { callId } = call.ask;
    this.#changes += 1;
    this.#waiting += 1;
    this.#seatKeys(call);
    if (callId === undefined) return;
    call.sibling = this.#byCallId.get(callId);
    this.#byCallId.set(callId, call);
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
    this.#unseatKeys(call);
    if (callId !== undefined) this.#unlink(callId, call);
    if (call.ending !== undefined) this.#remember(call, call.ending);
    if (this.#waiting === 0) for (const done of [...this.#emptied]) done();
  };

  #remember(call: Call, ending: CallEnding): void {
    const { callId, account } = call.ask;
    const ended = { ending, account, deadline: call.deadline };
    this.#ended.remember(call.uniqueKey, ended);
    if (callId === undefined) return;
    if (!call.answersToCallId && isAnswer(ending)) this.#answered.remember(repeatKey(callId, account), ended);
    if (call.answersToCallId && callId !== call.uniqueKey) this.#ended.remember(callId, ended);
  }

  #unlink(callId: string, gone: Call): void {
    const first = this.#byCallId.get(callId);
    if (first === gone) {
      if (gone.sibling === undefined) this.#byCallId.delete(callId);
      else this.#byCallId.set(callId, gone.sibling);
      return;
    }
    for (let call = first; call !== undefined; call = call.sibling) {
      if (call.sibling === gone) call.sibling = gone.sibling;
    }
  }
}

function repeatKey(callId: string, account: number): string {
  return `${account} ${callId}`;
}

/** Whether the call ended by its app's word. */
function isAnswer(ending: CallEnding): boolean {
  return ending.outcome === 'ready' || ending.outcome === 'declined';
}
