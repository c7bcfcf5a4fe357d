import type { AnswerBus, AnswerFate } from './answer-bus.ts';
import type { CallEvents } from './call-events.ts';

/** What taking an answer needs. */
export interface TakeAnswerDeps {
  readonly bus: Pick<AnswerBus, 'answer'>;
  readonly events: Pick<CallEvents, 'answerCame'>;
}

/** The app's word: it ends the call that waits for this key, on whichever instance, or is told what became of it. */
export async function takeAnswer(
  { bus, events }: TakeAnswerDeps,
  uniqueKey: string,
  available: boolean,
): Promise<AnswerFate> {
  const fate = await bus.answer(uniqueKey, available);
  events.answerCame({ uniqueKey, available, fate });
  return fate;
}
