import { now } from '../lib/clock.ts';

/** Digits of a call's number in its call_id: 32 hex digits in all, which every app can take as its unique_key. */
const NUMBER_DIGITS = 8;

/** The call_id of a call; `run` is 24 hex digits that no other run has. */
export function callIdOf(run: string, call: number): string {
  return run + call.toString(16).padStart(NUMBER_DIGITS, '0');
}

/** The number of the call with this call_id or unique_key. */
export function callOf(callId: string): number {
  return Number.parseInt(callId.slice(-NUMBER_DIGITS), 16);
}

/** Accounts have nine digits; this is the first of the bench's. */
const FIRST_ACCOUNT = 100_000_000;

/** The account that a call is for; its phones are used in turn. */
export function accountOf(call: number, accounts: number): number {
  return FIRST_ACCOUNT + (call % accounts);
}

/** Every second account has an iPhone. */
export function isApple(account: number): boolean {
  return account % 2 === 0;
}

/** The push token of an account's phone: 64 hex digits for an iPhone, as long as Google's are for the others. */
export function tokenOf(account: number): string {
  return isApple(account)
    ? account.toString(16).padStart(64, '0')
    : `bench-${account}:${'APA91b'.repeat(24)}`;
}

/** How a PBX's call ended. */
export const ENDINGS = { waiting: 0, ack: 1, nak: 2, refused: 3, broken: 4 } as const;

/** What became of the calls of a batch, each at its place. Moments are of `now`, NaN for what did not happen. */
export interface CallTimes {
  /** When the PBX was to ask, and when it did. */
  readonly due: Float64Array;
  readonly asked: Float64Array;
  /** When the PBX had its whole answer. */
  readonly ended: Float64Array;
  /** Values of `ENDINGS`. */
  readonly endings: Uint8Array;
}

/** The ending of a call by the PBX's answer. */
export function endingOf(status: number, body: string): number {
  if (status === 200) return body === 'status=ACK' ? ENDINGS.ack : ENDINGS.nak;
  return status === 0 ? ENDINGS.broken : ENDINGS.refused;
}

/**
 * Calls `act` for each moment of `due` (absolute, ascending) once it has come; resolves after the last, or once `act`
 * says that it shall not go on.
 */
export function followSchedule(due: Float64Array, act: (index: number) => boolean): Promise<void> {
  return new Promise((resolve) => {
    let next = 0;
    const turn = (): void => {
      const moment = now();
      for (let at = due[next]; at !== undefined && at <= moment; at = due[next]) {
        next = act(next) ? next + 1 : due.length;
      }
      const wanted = due[next];
      if (wanted === undefined) resolve();
      else setTimeout(turn, Math.max(1, Math.floor(wanted - moment)));
    };
    turn();
  });
}
