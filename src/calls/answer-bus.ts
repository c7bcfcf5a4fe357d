import type { Call } from './call.ts';
import type { CallOutcome } from './call-outcome.ts';

/**
 * What became of an app's answer: `taken` settled the call; `duplicate` came after another answer and within the
 * call's time, whatever it says; `late` came after the call had ended otherwise or its time was over; `unknown` names no
 * call; `undecided` names no call that waits on this instance, and the other instances cannot be asked now.
 */
export type AnswerFate = 'taken' | 'duplicate' | 'late' | 'unknown' | 'undecided';

/**
 * What the instances of the service tell each other of calls, so that a PBX may ask any of them and an app answer to
 * any other. No method rejects and none waits without a limit: where the others cannot be asked, this instance does
 * what it can by itself.
 */
export interface AnswerBus {
  /**
   * Makes a call that has just entered the waiting room known to every instance. `wake` is called once this instance
   * has to wake the phone: at once for a new call; for one that another instance waits for, when that instance falls
   * silent. Settles the call where its app has answered already.
   */
  claim(call: Call, wake: () => void): void;
  /** The app's word for a key, whichever instance waits for it: the first one counts. */
  answer(key: string, available: boolean): Promise<AnswerFate>;
  /** The call's time is over: settles it with `outcome`, or by an answer that was accepted before this. */
  expire(call: Call, outcome: CallOutcome, reason?: string): void;
  /** The call has ended here: tells whoever else waits for it. */
  release(call: Call): void;
  /**
   * The PBX gives the call up. Resolves with how many waits that ended, or `undecided` where none waits on this instance and
   * the other instances cannot be asked now.
   */
  cancel(callId: string, reason: string | null): Promise<number | 'undecided'>;
  /** Why this instance must not take new calls, because it cannot reach the others and is told to need them. */
  refusal(): CallOutcome | undefined;
  /** Lets what was told last go out, for at most a second. */
  close(): Promise<void>;
}
