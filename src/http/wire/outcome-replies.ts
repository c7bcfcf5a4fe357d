import type { CallOutcome } from '../../calls/call-outcome.ts';

/** The two bodies that a PBX knows: no newline, status 200. */
export type PbxWord = 'status=ACK' | 'status=NAK';

/** What the PBX is told for each ending; the ending itself goes in `X-Wake-Outcome`. */
export const OUTCOME_REPLIES = {
  ready: 'status=ACK',
  declined: 'status=NAK',
  'timed-out': 'status=NAK',
  'no-device': 'status=NAK',
  'token-gone': 'status=NAK',
  'push-failed': 'status=NAK',
  'provider-down': 'status=NAK',
  'push-overloaded': 'status=NAK',
  overloaded: 'status=NAK',
  cancelled: 'status=NAK',
  'caller-gone': 'status=NAK',
  'shutting-down': 'status=NAK',
  'storage-unavailable': 'status=NAK',
  'bus-unavailable': 'status=NAK',
} as const satisfies Record<CallOutcome, PbxWord>;

/**
 * The body of an answer that ends a call. `withOutcome`: the ending stands in it too (`status=NAK&outcome=declined`), for
 * PBXs that cannot read a header of an answer.
 */
export function pbxBody(outcome: CallOutcome, withOutcome: boolean): string {
  return withOutcome ? `${OUTCOME_REPLIES[outcome]}&outcome=${outcome}` : OUTCOME_REPLIES[outcome];
}
