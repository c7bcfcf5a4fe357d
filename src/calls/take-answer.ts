import type { CallEvents } from './call-events.ts';
import type { AnswerFate, WaitingRoom } from './waiting-room.ts';

/** The app's word: it ends the call that waits for this key, or is told what became of it. */
export function takeAnswer(
  parts: { readonly room: WaitingRoom; readonly events: Pick<CallEvents, 'answerCame'> },
  uniqueKey: string,
  available: boolean,
): AnswerFate {
  const { fate, call } = parts.room.answer(uniqueKey, available);
  parts.events.answerCame({ uniqueKey, available, fate, call });
  return fate;
}
