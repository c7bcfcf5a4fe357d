import { answerDetail } from '../../answer-detail.ts';
import type { PushVerdict } from '../../push-provider.ts';

/** What an answer of Google's means for a push. */
export type FcmMeaning =
  | 'accepted'
  | 'token-dead'
  /** The token does not fit this project, or is no token. */
  | 'token-suspect'
  | 'our-fault'
  /** The OAuth token or the account's rights, or this push alone. */
  | 'credential-refused'
  | 'throttled'
  /** Google's own fault: once more. */
  | 'internal'
  /** Down: as long as there is time. */
  | 'out-of-service';

/**
 * Every error code of FCM, and the OAuth statuses that come without one.
 * https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode, https://cloud.google.com/apis/design/errors
 *
 * `INVALID_ARGUMENT` here is the one with an `FcmError` detail: "not a valid FCM registration token"; with a
 * `BadRequest` detail it is a fault of our message. `THIRD_PARTY_AUTH_ERROR` concerns one phone that is no Android
 * (its Apple or Web Push credential in Firebase), so it must not stop the app's other calls.
 */
export const FCM_CODES = {
  UNREGISTERED: 'token-dead',
  INVALID_ARGUMENT: 'token-suspect',
  SENDER_ID_MISMATCH: 'token-suspect',
  QUOTA_EXCEEDED: 'throttled',
  RESOURCE_EXHAUSTED: 'throttled',
  THIRD_PARTY_AUTH_ERROR: 'our-fault',
  UNAUTHENTICATED: 'credential-refused',
  PERMISSION_DENIED: 'credential-refused',
  INTERNAL: 'internal',
  UNAVAILABLE: 'out-of-service',
} as const satisfies Record<string, FcmMeaning>;

/** An answer read. */
export interface FcmAnswer {
  readonly meaning: FcmMeaning;
  /** Google's word, `Accepted`, or `Other` for a word that is not in the table. */
  readonly reason: string;
  /** What stands behind `Other`, for the log. */
  readonly detail?: string;
}

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';

/** Reads status and body of an answer; any body will do, also none. */
export function readFcmAnswer(status: number, body: string): FcmAnswer {
  if (status === 200) return { meaning: 'accepted', reason: 'Accepted' };
  const error = field(parse(body), 'error');
  const details = field(error, 'details');
  const list: readonly unknown[] = Array.isArray(details) ? details : [];
  const fcmError = list.find((detail) => field(detail, '@type') === FCM_ERROR);
  const code = field(fcmError, 'errorCode') ?? field(error, 'status');
  if (typeof code !== 'string' || !isKnown(code))
    return {
      meaning: meaningOfStatus(status),
      reason: 'Other',
      detail: answerDetail(`HTTP ${status}`, code),
    };
  const badMessage = fcmError === undefined || list.some((detail) => field(detail, '@type') === BAD_REQUEST);
  if (code === 'INVALID_ARGUMENT' && badMessage) return { meaning: 'our-fault', reason: code };
  return { meaning: FCM_CODES[code], reason: code };
}

function isKnown(code: string): code is keyof typeof FCM_CODES {
  return Object.hasOwn(FCM_CODES, code);
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    // A proxy's page, or nothing: the status has to do.
    return undefined;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return Reflect.get(value, name);
}

/** For answers without a word that we know. A bare 404 is a wrong address of ours, no word about the token. */
function meaningOfStatus(status: number): FcmMeaning {
  if (status === 401 || status === 403) return 'credential-refused';
  if (status === 429) return 'throttled';
  if (status === 500) return 'internal';
  if (status > 500) return 'out-of-service';
  return 'our-fault';
}

/** Google asks for a minute without sending after a quota error. */
const QUOTA_PAUSE_MS = 60_000;
/** Google asks for a second; a call that waits has less to spare. */
const QUICK_PAUSE_MS = 100;

/** What a push does after an answer. `retryAfterMs` is the answer's `Retry-After`. */
export function fcmVerdict(answer: FcmAnswer, retryAfterMs: number | undefined): PushVerdict {
  const { meaning, reason } = answer;
  switch (meaning) {
    case 'accepted':
    case 'token-dead':
    case 'token-suspect':
    case 'our-fault':
      return { kind: meaning, reason };
    case 'credential-refused':
      return { kind: 'app-fault', reason };
    case 'throttled':
      return {
        kind: 'throttled',
        reason,
        scope: 'app',
        retryAfterMs: Math.max(QUOTA_PAUSE_MS, retryAfterMs ?? 0),
      };
    case 'internal':
    case 'out-of-service': {
      const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
      return {
        kind: 'retry',
        reason,
        limit: meaning === 'internal' ? 'once' : 'budget',
        afterMs: retryAfterMs ?? (meaning === 'internal' ? QUICK_PAUSE_MS : 0),
        otherwise: { kind: 'unavailable', reason, ...wait },
      };
    }
    default:
      return meaning satisfies never;
  }
}
