import type { AnswerFate } from './answer-bus.ts';
import type { Call } from './call.ts';
import type { CallEnding } from './call-outcome.ts';

/** What the story of a call tells: for log and metrics. */
export interface CallEvents {
  /** A call that waited has ended; every time is in the call. Told once per call. */
  callEnded(call: Call, ending: CallEnding): void;
  /** A call ended before a phone could be waited for. */
  callTurnedAway(event: {
    readonly account: number;
    readonly callId: string | undefined;
    readonly ending: CallEnding;
  }): void;
  /** A repeated request joined a call that waits (`waiting`) or was given the answer it already had. */
  callRepeated(event: {
    readonly account: number;
    readonly callId: string | undefined;
    readonly found: 'waiting' | 'answered';
  }): void;
  /** An app has answered, here or to another instance's call. */
  answerCame(event: {
    readonly uniqueKey: string;
    readonly available: boolean;
    readonly fate: AnswerFate;
  }): void;
  /** The database could not be asked. */
  storageFailed(event: { readonly during: string; readonly error: unknown }): void;
}
