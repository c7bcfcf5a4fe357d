import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import type { AnswerFault } from '../../src/sandbox/faults.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { addGoogleApps, newServiceAccount } from './own-apps.ts';
import { alarmsOf, isRegistered, linesOf } from './registration.ts';
import { googleAnswer as answer, askedOfGoogle as askedFor } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

const THIRD_PARTY = "Firebase lacks a usable credential for this phone's own push service";
const OUR_FAULT = 'the push service calls our message wrong';
const APP_FAULT = "the app's credential is not accepted: its phones cannot be woken";

/** What one answer, given to every try, leads to. */
interface Row {
  readonly status: number;
  readonly reason: string;
  readonly detail?: AnswerFault['detail'];
  readonly outcome: 'push-failed' | 'provider-down' | 'token-gone';
  /** How often Google is asked. */
  readonly asked: number;
  readonly alarm?: string;
  /** The phone is forgotten; else its next call is pushed. */
  readonly dropped?: true;
}

/**
 * The tables of https://firebase.google.com/docs/reference/fcm/rest/v1/ErrorCode and, without a detail, of
 * https://cloud.google.com/apis/design/errors, for an app without any success. `MadeUp` is a word yet to come.
 */
const TABLE: readonly Row[] = [
  { status: 400, reason: 'INVALID_ARGUMENT', outcome: 'token-gone', asked: 1 },
  ...(['bad-request', 'none'] as const).map((detail) => ({
    status: 400,
    reason: 'INVALID_ARGUMENT',
    detail,
    outcome: 'push-failed' as const,
    asked: 1,
    alarm: OUR_FAULT,
  })),
  { status: 400, reason: 'MadeUp', outcome: 'push-failed', asked: 1, alarm: OUR_FAULT },
  { status: 403, reason: 'SENDER_ID_MISMATCH', outcome: 'token-gone', asked: 1 },
  { status: 404, reason: 'UNREGISTERED', outcome: 'token-gone', asked: 1, dropped: true },
  { status: 404, reason: 'NOT_FOUND', detail: 'none', outcome: 'push-failed', asked: 1, alarm: OUR_FAULT },
  { status: 429, reason: 'QUOTA_EXCEEDED', outcome: 'push-failed', asked: 1 },
  { status: 429, reason: 'RESOURCE_EXHAUSTED', detail: 'none', outcome: 'push-failed', asked: 1 },
  { status: 429, reason: 'MadeUp', outcome: 'push-failed', asked: 1 },
  { status: 401, reason: 'THIRD_PARTY_AUTH_ERROR', outcome: 'push-failed', asked: 1, alarm: THIRD_PARTY },
  ...[
    { status: 401, reason: 'UNAUTHENTICATED', detail: 'none' as const },
    { status: 403, reason: 'PERMISSION_DENIED', detail: 'none' as const },
    { status: 403, reason: 'MadeUp' },
  ].map((row) => ({
    ...row,
    outcome: 'provider-down' as const,
    asked: 2,
    alarm: APP_FAULT,
  })),
  { status: 500, reason: 'INTERNAL', outcome: 'push-failed', asked: 2 },
  { status: 500, reason: 'UNSPECIFIED_ERROR', outcome: 'push-failed', asked: 2 },
  { status: 503, reason: 'UNAVAILABLE', outcome: 'push-failed', asked: 6 },
  { status: 502, reason: 'MadeUp', outcome: 'push-failed', asked: 6 },
];

async function checkRow(service: TestService, row: Row, app: string): Promise<void> {
  const phone = await service.phone({ app });
  const detail = row.detail === undefined ? {} : { detail: row.detail };
  service.world.google.script(answer(row.status, row.reason, detail), {
    token: phone.token,
    times: row.asked,
  });
  const { outcome, body, tookMs } = await service.ask({ account: phone.account });
  assert.equal(outcome, row.outcome);
  assert.equal(body, 'status=NAK');
  assert.ok(tookMs < 9_000, `the PBX was kept waiting for ${tookMs} ms although nobody could answer`);
  assert.equal(askedFor(service, phone).length, row.asked);
  assert.equal(phone.pushes(), 0);
  const unknown = linesOf(service, app).filter(
    ({ fields }) => fields['reason'] === 'Other' && !('outcome' in fields),
  );
  assert.equal(
    unknown.length > 0,
    row.reason === 'MadeUp' || row.reason === 'UNSPECIFIED_ERROR' || row.reason === 'NOT_FOUND',
  );
  for (const line of unknown) assert.equal(line.fields['detail'], `HTTP ${row.status}: ${row.reason}`);
  assert.deepEqual(
    alarmsOf(service, app).map((line) => line.message),
    row.alarm === undefined ? [] : [row.alarm],
  );
  if (row.dropped === true) await until(async () => !(await isRegistered(service, phone)), 'it is forgotten');
  else assert.ok(await isRegistered(service, phone), 'the phone is kept');

  const next = row.dropped === true ? 'no-device' : 'ready';
  assert.equal((await service.ask({ account: phone.account })).outcome, next, 'one phone opens no breaker');
  assert.equal(askedFor(service, phone).length, row.asked + (row.dropped === true ? 0 : 1));
}

it("each answer of Google's table, given to every try of a call", { concurrency: 8 }, async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const shared = await newServiceAccount(service.world, 'project-shared');
  const apps = await addGoogleApps(service, { count: TABLE.length, shared });
  await Promise.all(
    TABLE.map((row, n) => {
      const name = `${row.status} ${row.reason} ${row.detail ?? ''}: ${row.outcome}`;
      return t.test(name, () => checkRow(service, row, apps[n] ?? ''));
    }),
  );
});

it("a try that helps after an answer of Google's", { concurrency: true }, async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const helped = [
    answer(401, 'UNAUTHENTICATED', { detail: 'none' }),
    answer(403, 'PERMISSION_DENIED', { detail: 'none' }),
    answer(500, 'INTERNAL'),
    answer(503, 'UNAVAILABLE'),
  ];
  const apps = await addGoogleApps(service, { count: helped.length });
  const run = async (fault: AnswerFault, app: string) => {
    const phone = await service.phone({ app });
    service.world.google.script(fault, { token: phone.token, times: 1 });
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    const [first, second, ...more] = askedFor(service, phone);
    assert.deepEqual(more, []);
    assert.deepEqual(second?.body, first?.body);
    const renewed = second?.headers.authorization !== first?.headers.authorization;
    assert.equal(renewed, fault.detail === 'none', 'only a refused access token is replaced');
  };
  await Promise.all(
    helped.map((fault, n) => t.test(`${fault.status} ${fault.reason}`, () => run(fault, apps[n] ?? ''))),
  );
});
