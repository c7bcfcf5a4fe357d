import type { AnswerBus, AnswerFate } from './answer-bus.ts';
import type { CallEvents } from './call-events.ts';
import type { WaitingRoom } from './waiting-room.ts';

/** What taking an answer needs. */
export interface AnswerTaking {
  readonly bus: Pick<AnswerBus, 'answer'>;
  readonly room: Pick<WaitingRoom, 'find' | 'answer'>;
  readonly events: Pick<CallEvents, 'answerCame'>;
}

/**
 * The app's word: it ends the call that waits for this key, on whichever instance, or is told what became of it. Without
 * `askOthers` only the calls of this instance are looked through, and nobody is asked about one that ended.
 */
export async function takeAnswer(
  parts: AnswerTaking,
  uniqueKey: string,
  available: boolean,
  askOthers: boolean,
): Promise<AnswerFate> {
  const { bus, room } = parts;
  const asks = askOthers || room.find(uniqueKey) !== undefined;
  const fate = asks ? await bus.answer(uniqueKey, available) : room.answer(uniqueKey, available);
  parts.events.answerCame({ uniqueKey, available, fate });
  return fate;
}
