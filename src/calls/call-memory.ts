import { monotonic } from '../lib/monotonic.ts';
import type { Call } from './call.ts';
import type { CallEnding } from './call-outcome.ts';
import { type EndedCall, EndedCalls } from './ended-calls.ts';

/**
 * What the waiting room remembers of calls that have ended: by each key that the app may still answer to, and, for a
 * call that its app answered, by call_id and account, so that a PBX that asks again hears the same answer.
 */
export class CallMemory {
  readonly #byKey: EndedCalls;
  /** Only calls whose call_id is not a key of theirs: `#byKey` finds the others. */
  readonly #answered: EndedCalls;

  /** Remembers at least the last `limit` calls. */
  constructor(limit: number) {
    this.#byKey = new EndedCalls(limit);
    this.#answered = new EndedCalls(limit);
  }

  remember(call: Call, ending: CallEnding): void {
    const { callId, account } = call.ask;
    const ended = { ending, account, deadline: call.deadline };
    this.#byKey.remember(call.uniqueKey, ended);
    if (callId === undefined) return;
    if (!call.answersToCallId && isAnswer(ending)) this.#answered.remember(repeatKey(callId, account), ended);
    if (call.answersToCallId && callId !== call.uniqueKey) this.#byKey.remember(callId, ended);
  }

  /** How the call of this key ended. */
  endingOf(key: string): CallEnding | undefined {
    return this.#byKey.find(key)?.ending;
  }

  /** What an answer to this key is, now that no call waits for it. */
  fateOf(key: string): 'duplicate' | 'late' | 'unknown' {
    const ended = this.#byKey.find(key);
    if (ended === undefined) return 'unknown';
    return isAnswer(ended.ending) && isInTime(ended) ? 'duplicate' : 'late';
  }

  /** The app's answer to the call of this call_id and account, within the time of that call. */
  answerTo(callId: string, account: number): CallEnding | undefined {
    const named = this.#byKey.find(callId);
    const ended =
      named !== undefined && named.account === account && isAnswer(named.ending)
        ? named
        : this.#findAnswered(callId, account);
    return ended !== undefined && isInTime(ended) ? ended.ending : undefined;
  }

  /** Whether a call_id may be a key: a late answer to one account's call must not be one to the next account's. */
  isFree(callId: string, account: number): boolean {
    const ended = this.#byKey.find(callId);
    return ended === undefined || ended.account === account;
  }

  /** Most services have none of these, and then make no key to look for one. */
  #findAnswered(callId: string, account: number): EndedCall | undefined {
    return this.#answered.isEmpty ? undefined : this.#answered.find(repeatKey(callId, account));
  }
}

function repeatKey(callId: string, account: number): string {
  return `${account} ${callId}`;
}

/** Whether the app's answer ended the call. */
function isAnswer(ending: CallEnding): boolean {
  return ending.outcome === 'ready' || ending.outcome === 'declined';
}

function isInTime(ended: EndedCall): boolean {
  return monotonic() <= ended.deadline;
}
