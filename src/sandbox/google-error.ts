import type { AnswerFault } from './faults.ts';
import type { Reply } from './serve-stream.ts';

/** FCM's error codes and google.rpc status names: https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode */
const FCM_ERRORS = {
  UNSPECIFIED_ERROR: { status: 500, name: 'INTERNAL' },
  INVALID_ARGUMENT: { status: 400, name: 'INVALID_ARGUMENT' },
  UNREGISTERED: { status: 404, name: 'NOT_FOUND' },
  SENDER_ID_MISMATCH: { status: 403, name: 'PERMISSION_DENIED' },
  QUOTA_EXCEEDED: { status: 429, name: 'RESOURCE_EXHAUSTED' },
  UNAVAILABLE: { status: 503, name: 'UNAVAILABLE' },
  INTERNAL: { status: 500, name: 'INTERNAL' },
  THIRD_PARTY_AUTH_ERROR: { status: 401, name: 'UNAUTHENTICATED' },
} as const;

/** google.rpc.Code by HTTP status, for answers without an FCM error code. */
const STATUS_NAME: Readonly<Record<number, string>> = {
  400: 'INVALID_ARGUMENT',
  401: 'UNAUTHENTICATED',
  403: 'PERMISSION_DENIED',
  404: 'NOT_FOUND',
  405: 'UNIMPLEMENTED',
  429: 'RESOURCE_EXHAUSTED',
  500: 'INTERNAL',
  503: 'UNAVAILABLE',
};

/** What is wrong with a field of the request (google.rpc.BadRequest). */
export interface FieldViolation {
  readonly field: string;
  readonly description: string;
}

/** A refusal in Google's words. */
export interface GoogleRefusal {
  readonly kind: 'refused';
  readonly status: number;
  readonly message: string;
  readonly errorCode?: string | undefined;
  readonly violation?: FieldViolation | undefined;
}

function nameOf({ errorCode, status }: GoogleRefusal): string {
  return (
    Object.entries(FCM_ERRORS).find(([code]) => code === errorCode)?.[1].name ??
    STATUS_NAME[status] ??
    'UNKNOWN'
  );
}

function detailsOf({ errorCode, violation }: GoogleRefusal): object[] {
  return [
    ...(errorCode === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError', errorCode }]),
    ...(violation === undefined
      ? []
      : [{ '@type': 'type.googleapis.com/google.rpc.BadRequest', fieldViolations: [violation] }]),
  ];
}

const JSON_TYPE = { 'content-type': 'application/json; charset=UTF-8' };

/** A refusal as Google puts it on the wire. */
export function renderGoogleRefusal(refusal: GoogleRefusal): Reply {
  const details = detailsOf(refusal);
  const error = {
    code: refusal.status,
    message: refusal.message,
    status: nameOf(refusal),
    ...(details.length > 0 ? { details } : {}),
  };
  return { status: refusal.status, headers: JSON_TYPE, body: JSON.stringify({ error }, null, 2) };
}

/** A scripted answer as Google puts it on the wire. */
export function renderGoogleFault(fault: AnswerFault): Reply {
  const detail = fault.detail ?? 'fcm-error';
  const reply = renderGoogleRefusal({
    kind: 'refused',
    status: fault.status,
    message: fault.reason ?? 'scripted fault',
    errorCode: detail === 'fcm-error' ? fault.reason : undefined,
    violation: detail === 'bad-request' ? { field: 'message', description: 'scripted fault' } : undefined,
  });
  return {
    ...reply,
    headers: {
      ...reply.headers,
      ...(fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter }),
    },
    body: fault.body ?? reply.body,
  };
}
