import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { addAppleApps } from './own-apps.ts';
import { alarmsOf, isRegistered, linesOf } from './registration.ts';
import { appleAnswer as answer, askedOfApple as askedFor } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

const OUR_FAULT = 'the push service calls our message wrong';
const WRONG_TOPIC = 'the push service does not let the credential push to this app id';
const APP_FAULT = "the app's credential is not accepted: its phones cannot be woken";

/** What one answer, given to every try, leads to. */
interface Row {
  readonly status: number;
  readonly reason: string;
  readonly outcome: 'push-failed' | 'provider-down' | 'token-gone';
  /** How often Apple is asked. */
  readonly asked: number;
  /** What an operator reads. */
  readonly alarm?: string;
}

function rows(status: number, reasons: string, rest: Omit<Row, 'status' | 'reason'>): readonly Row[] {
  return reasons.split(' ').map((reason) => ({ status, reason, ...rest }));
}

/**
 * The table of https://developer.apple.com/documentation/usernotifications/handling-notification-responses-from-apns,
 * for a phone that said which environment it is of, and an app without any success. A made-up reason ends each
 * status, for the words that Apple has yet to find.
 */
const TABLE: readonly Row[] = [
  ...rows(400, 'BadDeviceToken DeviceTokenNotForTopic', { outcome: 'token-gone', asked: 1 }),
  ...rows(
    400,
    'MissingDeviceToken BadCollapseId BadExpirationDate BadMessageId BadPriority MissingTopic DuplicateHeaders InvalidPushType PayloadEmpty MadeUp',
    { outcome: 'push-failed', asked: 1, alarm: OUR_FAULT },
  ),
  ...rows(400, 'BadTopic TopicDisallowed', { outcome: 'push-failed', asked: 1, alarm: WRONG_TOPIC }),
  ...rows(400, 'IdleTimeout', { outcome: 'push-failed', asked: 2 }),
  ...rows(
    403,
    'ExpiredProviderToken InvalidProviderToken MissingProviderToken UnrelatedKeyIdInToken BadEnvironmentKeyIdInToken BadEnvironmentKeyInToken BadCertificate BadCertificateEnvironment Forbidden MadeUp',
    { outcome: 'provider-down', asked: 2, alarm: APP_FAULT },
  ),
  ...rows(404, 'BadPath MadeUp', { outcome: 'push-failed', asked: 1, alarm: OUR_FAULT }),
  ...rows(405, 'MethodNotAllowed MadeUp', { outcome: 'push-failed', asked: 1, alarm: OUR_FAULT }),
  ...rows(410, 'Unregistered ExpiredToken MadeUp', { outcome: 'token-gone', asked: 1 }),
  ...rows(413, 'PayloadTooLarge MadeUp', { outcome: 'push-failed', asked: 2, alarm: OUR_FAULT }),
  ...rows(429, 'TooManyProviderTokenUpdates TooManyRequests MadeUp', { outcome: 'push-failed', asked: 1 }),
  ...rows(500, 'InternalServerError MadeUp', { outcome: 'push-failed', asked: 2 }),
  ...rows(503, 'ServiceUnavailable Shutdown MadeUp', { outcome: 'push-failed', asked: 6 }),
];

async function checkRow(service: TestService, row: Row, app: string): Promise<void> {
  const phone = await service.phone({ kind: 'ios', app });
  service.world.apple.script(answer(row.status, row.reason), { token: phone.token, times: row.asked });
  const { outcome, body, tookMs } = await service.ask({ account: phone.account });
  assert.equal(outcome, row.outcome);
  assert.equal(body, 'status=NAK');
  assert.ok(tookMs < 9_000, `the PBX was kept waiting for ${tookMs} ms although nobody could answer`);
  const asked = askedFor(service, phone);
  assert.equal(asked.length, row.asked);
  assert.equal(new Set(asked.map((request) => request.headers['apns-id'])).size, 1);
  assert.equal(phone.pushes(), 0);
  const unknown = linesOf(service, app).filter(
    ({ fields }) => fields['reason'] === 'Other' && !('outcome' in fields),
  );
  assert.equal(unknown.length > 0, row.reason === 'MadeUp');
  for (const line of unknown) assert.equal(line.fields['detail'], `HTTP ${row.status}: ${row.reason}`);
  assert.deepEqual(
    alarmsOf(service, app).map((line) => line.message),
    row.alarm === undefined ? [] : [row.alarm],
  );
  assert.ok(await isRegistered(service, phone), 'the phone is kept');

  assert.equal(
    (await service.ask({ account: phone.account })).outcome,
    'ready',
    'one phone opens no breaker',
  );
  assert.equal(askedFor(service, phone).length, row.asked + 1);
}

it("each answer of Apple's table, given to every try of a call", { concurrency: 8 }, async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const apps = await addAppleApps(service, TABLE.length);
  await Promise.all(
    TABLE.map((row, n) =>
      t.test(`${row.status} ${row.reason}: ${row.outcome}`, () => checkRow(service, row, apps[n] ?? '')),
    ),
  );
});

it("a try that helps after an answer of Apple's", { concurrency: true }, async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const helped = [
    [400, 'IdleTimeout'],
    [413, 'PayloadTooLarge'],
    [500, 'InternalServerError'],
    [503, 'ServiceUnavailable'],
    [503, 'Shutdown'],
    [403, 'InvalidProviderToken'],
    [403, 'Forbidden'],
  ] as const;
  const apps = await addAppleApps(service, helped.length);
  const run = async (status: number, reason: string, app: string) => {
    const phone = await service.phone({ kind: 'ios', app });
    service.world.apple.script(answer(status, reason), { token: phone.token, times: 1 });
    const { outcome } = await service.ask({ account: phone.account, callerId: 'Anna' });
    assert.equal(outcome, 'ready');
    const [first, second, ...more] = askedFor(service, phone);
    assert.deepEqual(more, []);
    assert.ok(first?.headers['apns-id']);
    assert.equal(second?.headers['apns-id'], first.headers['apns-id']);
    const [received] = service.world.apple.received.list().filter((push) => push.token === phone.token);
    assert.equal(received?.payload['caller_id'], status === 413 ? '' : 'Anna');
  };
  await Promise.all(
    helped.map(([status, reason], n) =>
      t.test(`${status} ${reason}`, () => run(status, reason, apps[n] ?? '')),
    ),
  );
});

it('a push token in the words of an answer is not logged', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const phone = await service.phone({ kind: 'ios' });
  service.world.apple.script(answer(400, `Nobody has ${phone.token}`), { times: 1 });
  await service.ask({ account: phone.account });
  const [alarm] = alarmsOf(service, 'com.example.phone');
  assert.equal(alarm?.fields['detail'], 'HTTP 400: Nobody has (token hidden)');
});

it('503 twice is tried a third time', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const phone = await service.phone({ kind: 'ios' });
  service.world.apple.script(answer(503, 'ServiceUnavailable'), { times: 2 });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  assert.equal(service.world.apple.requests.count(), 3);
});

it('Retry-After of Apple is kept to where it fits into the call', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const [patient, hurried] = [await service.phone({ kind: 'ios' }), await service.phone({ kind: 'ios' })];
  const { apple } = service.world;
  apple.script(answer(503, 'Shutdown', { retryAfter: '1' }), { token: patient.token, times: 1 });
  const late = await service.ask({ account: patient.account });
  assert.equal(late.outcome, 'ready');
  const [first, second] = askedFor(service, patient);
  assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= 990, 'the second try came before its time');

  apple.script(answer(503, 'Shutdown', { retryAfter: '10' }), { token: hurried.token });
  const early = await service.ask({ account: hurried.account });
  assert.equal(early.outcome, 'push-failed');
  assert.ok(early.tookMs < 9_000, `the PBX was kept waiting for ${early.tookMs} ms`);
  assert.equal(askedFor(service, hurried).length, 1);
});

it("a connection's bad answer: the next try goes over a fresh connection", async (t) => {
  for (const [status, reason] of [
    [500, 'InternalServerError'],
    [503, 'ServiceUnavailable'],
    [400, 'IdleTimeout'],
  ] as const) {
    await t.test(`${status} ${reason}`, async (sub) => {
      const service = await startTestService(sub, { settings: UNHURRIED });
      const { apple } = service.world;
      await until(() => apple.sessions() === 1, 'the connection stands');
      const phone = await service.phone({ kind: 'ios' });
      apple.script(answer(status, reason), { times: 1 });
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
      assert.equal(apple.accepted(), 2);
      await until(() => apple.sessions() === 1, 'the old connection is closed');
    });
  }
});
