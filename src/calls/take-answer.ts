import type { AnswerBus, AnswerFate } from './answer-bus.ts';
import type { CallEvents } from './call-events.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What taking an answer needs. */
export interface AnswerTaking {
  readonly bus: Pick<AnswerBus, 'answer'>;
  readonly room: Pick<WaitingRoom, 'find' | 'endingOf'>;
  readonly events: Pick<CallEvents, 'answerCame'>;
}

/**
 * The app's word: it ends the call that waits for this key, on whichever instance, or is told what became of it. Without
 * `askOthers` only the calls of this instance are looked through.
 */
export async function takeAnswer(
  parts: AnswerTaking,
  uniqueKey: string,
  available: boolean,
  askOthers: boolean,
): Promise<AnswerFate> {
  const isOurs = parts.room.find(uniqueKey) !== undefined || parts.room.endingOf(uniqueKey) !== undefined;
  const fate = askOthers || isOurs ? await parts.bus.answer(uniqueKey, available) : 'unknown';
  parts.events.answerCame({ uniqueKey, available, fate });
  return fate;
}
