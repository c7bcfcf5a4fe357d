import { printable } from '../http2/channel-detail.ts';
import type { FinalVerdict, PushVerdict } from './push-provider.ts';

/** Characters of a provider's words in a log line. */
const MAX_WORDS = 200;

/**
 * What a push service said that is in none of its tables, for a log line: `HTTP 404: NewWord`, or the status alone if it
 * said nothing. Printable ASCII; words beyond 200 characters are left out whole, since half a token has no shape by which
 * the log would hide it.
 */
export function answerDetail(from: `HTTP ${number}` | 'GOAWAY', words: unknown): string {
  if (typeof words !== 'string' || words === '') return from;
  const whole = words.length <= MAX_WORDS ? words : `${words.slice(0, MAX_WORDS).replace(/\S*$/, '')}...`;
  return `${from}: ${printable(whole)}`;
}

/** The verdict with what the push service said. */
export function withDetail(verdict: PushVerdict, detail: string | undefined): PushVerdict {
  if (detail === undefined) return verdict;
  if (verdict.kind !== 'retry') return { ...verdict, detail };
  return { ...verdict, otherwise: { ...verdict.otherwise, detail } };
}

/** The words of a verdict, for an event. */
export function saidBy({ reason, detail }: FinalVerdict): {
  readonly reason: string;
  readonly detail?: string;
} {
  return detail === undefined ? { reason } : { reason, detail };
}
