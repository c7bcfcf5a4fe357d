import type { AnswerBus } from '../calls/answer-bus.ts';
import type { WaitingRoom } from '../calls/waiting-room.ts';

/** The bus of an instance that is alone: everybody who waits, waits in its own room. */
export function createLoneBus(room: Pick<WaitingRoom, 'answer' | 'cancel'>): AnswerBus {
  return {
    claim: (_call, wake) => wake(),
    answer: (key, available) => Promise.resolve(room.answer(key, available)),
    expire: (call, outcome, reason) => void call.settle(outcome, reason),
    release: () => {},
    cancel: (callId, reason) => Promise.resolve(room.cancel(callId, reason)),
    refusal: () => undefined,
    close: () => Promise.resolve(),
  };
}
