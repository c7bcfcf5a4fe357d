import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { Fault } from '../../src/sandbox/faults.ts';
import { APP, standIn } from '../faults/stand-in.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';
import { addAppleApps, addGoogleApps } from './own-apps.ts';
import { linesOf } from './registration.ts';
import { appleAnswer, askedOfGoogle, googleAnswer } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

const ALONE = "push refused for this phone alone: the app's credential works for others";
function NO_BODY(status: number): Fault {
  return { kind: 'answer', status, body: '' };
}

function phonesOf(
  service: TestService,
  kind: 'ios' | 'android',
  count: number,
  app = APP,
): Promise<TestPhone[]> {
  return Promise.all(Array.from({ length: count }, () => service.phone({ kind, app })));
}

function openings(service: TestService): number {
  return service.logged.filter((line) => line.fields['state'] === 'open').length;
}

function refusedAlone(service: TestService) {
  return service.logged.filter((line) => line.message === ALONE);
}

/** What a push service may have against one phone alone, whatever its own documents say of the answer. */
const FAULTS: readonly (readonly [name: string, kind: 'ios' | 'android', fault: Fault, refusal: boolean])[] =
  [
    ['401 and an empty body', 'android', NO_BODY(401), true],
    ['403 and an empty body', 'android', NO_BODY(403), true],
    ['401 UNAUTHENTICATED', 'android', googleAnswer(401, 'UNAUTHENTICATED', { detail: 'none' }), true],
    ['403 PERMISSION_DENIED', 'android', googleAnswer(403, 'PERMISSION_DENIED', { detail: 'none' }), true],
    ['401 THIRD_PARTY_AUTH_ERROR', 'android', googleAnswer(401, 'THIRD_PARTY_AUTH_ERROR'), false],
    ['429 QUOTA_EXCEEDED', 'android', googleAnswer(429, 'QUOTA_EXCEEDED'), false],
    ['500 INTERNAL', 'android', googleAnswer(500, 'INTERNAL'), false],
    ['503 UNAVAILABLE', 'android', googleAnswer(503, 'UNAVAILABLE'), false],
    ['a stream that is reset', 'android', { kind: 'reset', code: 2 }, false],
    ['403 InvalidProviderToken', 'ios', appleAnswer(403, 'InvalidProviderToken'), true],
    ['403 ExpiredProviderToken', 'ios', appleAnswer(403, 'ExpiredProviderToken'), true],
    ['403 TopicDisallowed', 'ios', appleAnswer(403, 'TopicDisallowed'), false],
    ['403 and an empty body', 'ios', NO_BODY(403), true],
    ['429 TooManyProviderTokenUpdates', 'ios', appleAnswer(429, 'TooManyProviderTokenUpdates'), false],
    ['500 InternalServerError', 'ios', appleAnswer(500, 'InternalServerError'), false],
    ['503 Shutdown', 'ios', appleAnswer(503, 'Shutdown'), false],
  ];

it('one phone whose every push fails costs its own calls only', { concurrency: 8 }, async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const android = await addGoogleApps(service, { count: FAULTS.length });
  const ios = await addAppleApps(service, FAULTS.length);
  const run = async (app: string, kind: 'ios' | 'android', fault: Fault, refusal: boolean) => {
    const [bad, ...healthy] = await phonesOf(service, kind, 6, app);
    assert.ok(bad);
    standIn(service, kind).script(fault, { token: bad.token });
    for (const { account } of healthy) assert.equal((await service.ask({ account })).outcome, 'ready');
    for (let round = 0; round < 4; round += 1) {
      const own = service.ask({ account: bad.account });
      const others = healthy.map(({ account }) => service.ask({ account }));
      for (const { outcome } of await Promise.all(others)) assert.equal(outcome, 'ready');
      assert.equal((await own).outcome, 'push-failed');
    }
    // In a quiet hour it is the only one that is called.
    for (let i = 0; i < 6; i += 1)
      assert.equal((await service.ask({ account: bad.account })).outcome, 'push-failed');
    assert.equal((await service.ask({ account: healthy[0]?.account ?? 0 })).outcome, 'ready');
    const lines = linesOf(service, app);
    assert.deepEqual(
      lines.filter((line) => 'state' in line.fields),
      [],
      'the breaker stays closed',
    );
    assert.equal(lines.filter((line) => line.message === ALONE).length, refusal ? 10 : 0);
    const called = lines.filter((line) => line.message.startsWith("the app's credential"));
    assert.deepEqual(called, [], 'nobody is called out for the credential of an app whose phones ring');
  };
  await Promise.all(
    FAULTS.map(([name, kind, fault, refusal], n) => {
      const app = (kind === 'ios' ? ios : android)[n] ?? '';
      return t.test(`${kind}: ${name}`, () => run(app, kind, fault, refusal));
    }),
  );
  const refusing = FAULTS.filter(([, kind, , refusal]) => kind === 'android' && refusal).length;
  const logged = (message: string) => service.logged.filter((line) => line.message === message).length;
  assert.equal(
    logged('Google access token fetched'),
    1 + FAULTS.length + refusing,
    'one more for each app whose phone is refused',
  );
  assert.equal(logged('Apple provider token made'), 1, 'Apple sees one provider token');
});

for (const kind of ['ios', 'android'] as const)
  it(`${kind}: a phone at whose push the connection is dropped costs nobody else a call`, async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const [bad, ...healthy] = await phonesOf(service, kind, 8);
    assert.ok(bad);
    const server = standIn(service, kind);
    for (const { account } of healthy) assert.equal((await service.ask({ account })).outcome, 'ready');
    server.script({ kind: 'delay', ms: 100 });
    server.script({ kind: 'disconnect' }, { token: bad.token });
    for (let round = 0; round < 4; round += 1) {
      const own = service.ask({ account: bad.account });
      const others = await Promise.all(healthy.map(({ account }) => service.ask({ account })));
      assert.deepEqual(
        others.map(({ outcome }) => outcome),
        healthy.map(() => 'ready'),
      );
      assert.equal((await own).outcome, 'push-failed');
    }
    assert.equal(openings(service), 0, 'the breaker stays closed');
  });

it('what was refused for one phone alone is in log and metrics with its reason', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const [bad, well] = await phonesOf(service, 'android', 2);
  assert.ok(bad && well);
  assert.equal((await service.ask({ account: well.account })).outcome, 'ready');
  service.world.google.script(googleAnswer(403, 'PERMISSION_DENIED', { detail: 'none' }), {
    token: bad.token,
  });
  assert.equal((await service.ask({ account: bad.account })).outcome, 'push-failed');
  const [line] = refusedAlone(service);
  assert.equal(line?.level, 'warn');
  assert.equal(line?.fields['reason'], 'PERMISSION_DENIED');
  assert.equal(line?.fields['account'], bad.account);
  const series = `{app="com.example.phone",platform="android",reason="PERMISSION_DENIED"}`;
  assert.equal(await service.metric(`vialer_middleware_pushes_refused_total${series}`), 1);
  assert.equal(await service.metric(`vialer_middleware_faults_total${series}`), 0);
});

for (const [kind, fault] of [
  ['ios', appleAnswer(403, 'InvalidProviderToken')],
  ['android', NO_BODY(401)],
] as const)
  it(`${kind}: refusals at random, one push in ten: no call is lost`, async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phones = await phonesOf(service, kind, 10);
    for (let round = 0; round < 6; round += 1) {
      standIn(service, kind).script(fault, { times: 1 });
      const calls = phones.map(({ account }) => service.ask({ account }));
      for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'ready');
    }
    assert.equal(openings(service), 0);
    assert.ok(service.world.google.tokensIssued() <= 2);
  });

for (const [kind, fault] of [
  ['ios', appleAnswer(403, 'InvalidProviderToken')],
  ['android', googleAnswer(403, 'PERMISSION_DENIED', { detail: 'none' })],
] as const)
  it(`${kind}: a credential that is revoked under load stops the app within a second's calls`, async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phones = await phonesOf(service, kind, 10);
    for (const { account } of phones) assert.equal((await service.ask({ account })).outcome, 'ready');
    const server = standIn(service, kind);
    const before = server.requests.count();
    server.script(fault);
    const outcomes = [];
    for (const { account } of phones) outcomes.push((await service.ask({ account })).outcome);
    assert.deepEqual(outcomes, ['push-failed', 'push-failed', ...Array(8).fill('provider-down')]);
    assert.equal(server.requests.count(), before + 6, 'three phones were tried, twice each');
    assert.equal(openings(service), 1);
    const alarms = service.logged.filter((line) => line.message.startsWith("the app's credential"));
    assert.deepEqual(
      alarms.map((line) => line.level),
      ['error'],
    );
  });

it('access tokens that all stop to work, while another phone is always refused: no other call is lost', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const [bad, ...healthy] = await phonesOf(service, 'android', 6);
  assert.ok(bad);
  const { google } = service.world;
  google.script(NO_BODY(401), { token: bad.token });
  google.revokeTokens();
  const calls = healthy.map(({ account }) => service.ask({ account }));
  for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'ready');
  for (let i = 0; i < 3; i += 1) await service.ask({ account: bad.account });
  assert.equal(google.tokensIssued(), 2);
  const [first] = healthy;
  assert.ok(first);
  const used = askedOfGoogle(service, first).map((request) => request.headers.authorization);
  assert.equal(new Set(used).size, used.length);
});
