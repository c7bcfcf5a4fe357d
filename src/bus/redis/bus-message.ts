import { CALL_OUTCOMES, type CallEnding, type CallOutcome } from '../../calls/call-outcome.ts';

/** What one instance tells another of a call that both may hold, named by its unique key. */
export type BusMessage =
  /** It has ended. */
  | { readonly kind: 'end'; readonly uniqueKey: string; readonly ending: CallEnding }
  /** The receiver has to wake its phone from now on. */
  | { readonly kind: 'own'; readonly uniqueKey: string }
  /** Does the receiver still wake its phone? */
  | { readonly kind: 'ask'; readonly uniqueKey: string; readonly asker: string }
  /** Yes. */
  | { readonly kind: 'held'; readonly uniqueKey: string };

/** A message as the text of a channel. */
export function encodeMessage(message: BusMessage): string {
  switch (message.kind) {
    case 'end':
      return JSON.stringify(['end', message.uniqueKey, message.ending.outcome, message.ending.reason ?? '']);
    case 'ask':
      return JSON.stringify(['ask', message.uniqueKey, message.asker]);
    case 'own':
    case 'held':
      return JSON.stringify([message.kind, message.uniqueKey]);
    default:
      return message satisfies never;
  }
}

/** The message in a channel's text; undefined for what this version does not understand. */
export function decodeMessage(text: string): BusMessage | undefined {
  const [kind, uniqueKey, third, reason] = words(text);
  if (kind === undefined || uniqueKey === undefined) return undefined;
  if (kind === 'own' || kind === 'held') return { kind, uniqueKey };
  if (kind === 'ask' && third !== undefined) return { kind, uniqueKey, asker: third };
  const ending = endingOf(third, reason);
  return kind === 'end' && ending !== undefined ? { kind, uniqueKey, ending } : undefined;
}

/** An ending from the words of a script or message; undefined where the outcome is of another version. */
export function endingOf(outcome: string | undefined, reason: string | undefined): CallEnding | undefined {
  const known: CallOutcome | undefined = CALL_OUTCOMES.find((each) => each === outcome);
  if (known === undefined) return undefined;
  return { outcome: known, reason: reason === undefined || reason === '' ? null : reason };
}

/** The strings of a JSON array, or of what a script replied. */
export function words(reply: unknown): readonly string[] {
  const value: unknown = typeof reply === 'string' ? parsed(reply) : reply;
  return Array.isArray(value) ? value.map(String) : [];
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // Whatever else is published on the channel is not for us.
    return undefined;
  }
}
