import type { PushTarget } from '../devices/device.ts';
import type { CallEnding, CallOutcome } from './call-outcome.ts';

/** What a PBX asks: wake the phone of this account for this caller. */
export interface CallAsk {
  /** When the PBX asked, monotonic milliseconds: the wait is counted from here. */
  readonly askedAt: number;
  /** `sip_user_id` on the wire. */
  readonly account: number;
  /** The PBX's name of the call, 1 to 255 characters, where it gave one. */
  readonly callId: string | undefined;
  readonly phoneNumber: string;
  readonly callerId: string;
}

/**
 * A call that waits for its phone. It is open until the first of: an answer, a deadline, a refused push, the caller
 * leaving, a cancel, the service stopping. What comes first settles it, once; `ended` then resolves, its timer is
 * cleared and it leaves the waiting room. Everything later finds `isOver()` true and changes nothing.
 */
export class Call {
  readonly ask: CallAsk;
  /** Changes once at most: when a push has shown which of Apple's environments its token is of. */
  device: PushTarget;
  /** Changes once at most, before anything is pushed: when another instance knows the call under another key. */
  uniqueKey: string;
  /** True where the app may answer to the PBX's call_id as well as to `uniqueKey`. */
  answersToCallId: boolean;
  /** True while another instance wakes the phone: this one only waits with it. */
  joined = false;
  /** Monotonic milliseconds. */
  readonly askedAt: number;
  /** Monotonic milliseconds by which the call has ended. */
  deadline: number;
  readonly ended: Promise<CallEnding>;
  ending: CallEnding | undefined;
  /** Pushes begun. */
  attempts = 0;
  /** Monotonic milliseconds of the first push. */
  pushedAt: number | undefined;
  /** Pushes begun that have no result yet. */
  pushesInFlight = 0;
  /** The token is dead: no further push of this call. */
  resendsStopped = false;
  /** Monotonic milliseconds of the first push that a provider took. */
  pushAcceptedAt: number | undefined;
  /** Monotonic milliseconds of the app's word. */
  answeredAt: number | undefined;
  /** PBX requests that wait for this call; kept by the waiting room. */
  callers = 0;
  /** The one timer of the call: its next resend, or its deadline. */
  timer: NodeJS.Timeout | undefined;
  #resolve: (ending: CallEnding) => void = () => {};
  readonly #leave: (call: Call) => void;

  constructor(options: {
    readonly ask: CallAsk;
    readonly device: PushTarget;
    readonly uniqueKey: string;
    readonly answersToCallId: boolean;
    readonly waitMs: number;
    /** Called once, when the call has ended. */
    readonly leave: (call: Call) => void;
  }) {
    this.ask = options.ask;
    this.device = options.device;
    this.uniqueKey = options.uniqueKey;
    this.answersToCallId = options.answersToCallId;
    this.askedAt = options.ask.askedAt;
    this.deadline = this.askedAt + options.waitMs;
    this.#leave = options.leave;
    this.ended = new Promise((resolve) => {
      this.#resolve = resolve;
    });
  }

  isOver(): boolean {
    return this.ending !== undefined;
  }

  /** Ends the call, unless it has ended: the first word counts. Returns whether this was it. */
  settle(outcome: CallOutcome, reason: string | null = null): boolean {
    if (this.ending !== undefined) return false;
    this.ending = { outcome, reason };
    clearTimeout(this.timer);
    this.#leave(this);
    this.#resolve(this.ending);
    return true;
  }
}
