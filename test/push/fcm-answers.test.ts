import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PushVerdict } from '../../src/push/push-provider.ts';
import { FCM_CODES } from '../../src/push/services/fcm/answers.ts';
import { fcmScene } from './helpers/fcm-scene.ts';
import { answered } from './helpers/provider-fixture.ts';

const FCM_ERROR = 'type.googleapis.com/google.firebase.fcm.v1.FcmError';
const BAD_REQUEST = 'type.googleapis.com/google.rpc.BadRequest';
interface Row {
  readonly status: number;
  /** Google's word, where it stands, and what stands with it. */
  readonly code: keyof typeof FCM_CODES;
  readonly details?: readonly object[];
  readonly rpcStatus?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly verdict: PushVerdict;
}

function fcm(errorCode: string) {
  return { '@type': FCM_ERROR, errorCode };
}
const violations = { '@type': BAD_REQUEST, fieldViolations: [{ field: 'message.data' }] };

function refusedCredential(reason: string): PushVerdict {
  return { kind: 'app-fault', reason };
}

function quota(reason: string, retryAfterMs: number): PushVerdict {
  return {
    kind: 'throttled',
    reason,
    scope: 'app',
    retryAfterMs,
  };
}

const TABLE: readonly Row[] = [
  {
    status: 400,
    code: 'INVALID_ARGUMENT',
    details: [violations],
    verdict: { kind: 'our-fault', reason: 'INVALID_ARGUMENT' },
  },
  {
    status: 400,
    code: 'INVALID_ARGUMENT',
    details: [fcm('INVALID_ARGUMENT'), violations],
    verdict: { kind: 'our-fault', reason: 'INVALID_ARGUMENT' },
  },
  { status: 400, code: 'INVALID_ARGUMENT', verdict: { kind: 'our-fault', reason: 'INVALID_ARGUMENT' } },
  {
    status: 400,
    code: 'INVALID_ARGUMENT',
    details: [fcm('INVALID_ARGUMENT')],
    verdict: { kind: 'token-suspect', reason: 'INVALID_ARGUMENT' },
  },
  {
    status: 403,
    code: 'SENDER_ID_MISMATCH',
    rpcStatus: 'PERMISSION_DENIED',
    details: [fcm('SENDER_ID_MISMATCH')],
    verdict: { kind: 'token-suspect', reason: 'SENDER_ID_MISMATCH' },
  },
  {
    status: 404,
    code: 'UNREGISTERED',
    rpcStatus: 'NOT_FOUND',
    details: [fcm('UNREGISTERED')],
    verdict: { kind: 'token-dead', reason: 'UNREGISTERED' },
  },
  {
    status: 429,
    code: 'QUOTA_EXCEEDED',
    rpcStatus: 'RESOURCE_EXHAUSTED',
    details: [fcm('QUOTA_EXCEEDED'), { '@type': 'type.googleapis.com/google.rpc.QuotaFailure' }],
    headers: { 'retry-after': '5' },
    verdict: quota('QUOTA_EXCEEDED', 60_000),
  },
  {
    status: 429,
    code: 'RESOURCE_EXHAUSTED',
    headers: { 'retry-after': '90' },
    verdict: quota('RESOURCE_EXHAUSTED', 90_000),
  },
  {
    status: 401,
    code: 'THIRD_PARTY_AUTH_ERROR',
    rpcStatus: 'UNAUTHENTICATED',
    details: [fcm('THIRD_PARTY_AUTH_ERROR')],
    verdict: { kind: 'our-fault', reason: 'THIRD_PARTY_AUTH_ERROR' },
  },
  { status: 401, code: 'UNAUTHENTICATED', verdict: refusedCredential('UNAUTHENTICATED') },
  { status: 403, code: 'PERMISSION_DENIED', verdict: refusedCredential('PERMISSION_DENIED') },
  {
    status: 500,
    code: 'INTERNAL',
    details: [fcm('INTERNAL')],
    verdict: {
      kind: 'retry',
      reason: 'INTERNAL',
      limit: 'once',
      afterMs: 100,
      otherwise: { kind: 'unavailable', reason: 'INTERNAL' },
    },
  },
  {
    status: 503,
    code: 'UNAVAILABLE',
    details: [fcm('UNAVAILABLE')],
    headers: { 'retry-after': '2' },
    verdict: {
      kind: 'retry',
      reason: 'UNAVAILABLE',
      limit: 'budget',
      afterMs: 2_000,
      otherwise: { kind: 'unavailable', reason: 'UNAVAILABLE', retryAfterMs: 2_000 },
    },
  },
];

for (const row of TABLE) {
  const details = (row.details ?? []).map((detail) => Object.values(detail).at(-1));
  it(`${row.status} ${row.code} with ${row.details ? JSON.stringify(details) : 'no details'}`, async () => {
    const body = {
      error: {
        code: row.status,
        message: 'text',
        status: row.rpcStatus ?? row.code,
        ...(row.details ? { details: row.details } : {}),
      },
    };
    const { send } = fcmScene(answered(row.status, body, row.headers));
    assert.deepEqual(await send(), row.verdict);
  });
}

it('the cases above are the whole table', () => {
  assert.deepEqual([...new Set(TABLE.map((row) => row.code))].toSorted(), Object.keys(FCM_CODES).toSorted());
});

const UNKNOWN: readonly (readonly [number, PushVerdict['kind'], string, detail?: string])[] = [
  [302, 'our-fault', ''],
  [400, 'our-fault', '{"error":{"status":"NEW_WORD"}}', 'HTTP 400: NEW_WORD'],
  [400, 'our-fault', '{"error":{"status":"constructor"}}', 'HTTP 400: constructor'],
  [401, 'app-fault', '<html>'],
  [403, 'app-fault', 'null'],
  [404, 'our-fault', '{"error":{"status":"NOT_FOUND"}}', 'HTTP 404: NOT_FOUND'],
  [404, 'our-fault', '<html>'],
  [429, 'throttled', '{"error":[]}'],
  [500, 'retry', '{"error":{"details":[null,7,{"@type":7}]}}'],
  [502, 'retry', ''],
];

for (const [status, kind, body, detail = `HTTP ${status}`] of UNKNOWN)
  it(`${status} with ${body || 'nothing'} goes by its status, and is logged with it`, async () => {
    const verdict = await fcmScene(answered(status, body)).send();
    assert.equal(verdict.kind, kind);
    assert.equal(verdict.reason, 'Other');
    assert.equal((verdict.kind === 'retry' ? verdict.otherwise : verdict).detail, detail);
  });
