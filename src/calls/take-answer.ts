import type { AnswerBus, AnswerFate } from './answer-bus.ts';
import type { CallEvents } from './call-events.ts';

/** The app's word: it ends the call that waits for this key, on whichever instance, or is told what became of it. */
export async function takeAnswer(
  parts: { readonly bus: Pick<AnswerBus, 'answer'>; readonly events: Pick<CallEvents, 'answerCame'> },
  uniqueKey: string,
  available: boolean,
): Promise<AnswerFate> {
  const fate = await parts.bus.answer(uniqueKey, available);
  parts.events.answerCame({ uniqueKey, available, fate });
  return fate;
}
