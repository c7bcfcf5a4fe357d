/**
 * Every way a call can end. A new outcome does not compile until each table over it has a row: what the PBX is told
 * (`http/`), log level and metric label (`telemetry/`), and, by a test, docs/outcomes.md.
 */
export const CALL_OUTCOMES = [
  'ready',
  'declined',
  'timed-out',
  'no-device',
  'token-gone',
  'push-failed',
  'provider-down',
  'push-overloaded',
  'overloaded',
  'cancelled',
  'caller-gone',
  'shutting-down',
  'storage-unavailable',
  'bus-unavailable',
] as const;

/** The name of an ending: metric label, log field and `X-Wake-Outcome` alike. */
export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** How a call ended, and the word of whoever caused it (a provider's reason, the PBX's), if there was one. */
export interface CallEnding {
  readonly outcome: CallOutcome;
  readonly reason: string | null;
}
