import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { type Answered, asForm, asJson, send } from './http-client.ts';

const PBX_TOKEN = 'pbx-secret-0123456789abcdef';

function refusedFor(service: TestService, endpoint: string, why: string) {
  return service.metric(`vialer_middleware_requests_refused_total{endpoint="${endpoint}",why="${why}"}`);
}
function limited(service: TestService, endpoint: string) {
  return refusedFor(service, endpoint, 'limited');
}

function assertLimited(answer: Answered): void {
  assert.equal(answer.status, 429);
  const seconds = Number(answer.headers['retry-after']);
  assert.ok(Number.isInteger(seconds) && seconds >= 1 && seconds <= 60, `Retry-After: ${seconds}`);
}

function respond(service: TestService, uniqueKey: string, headers: Readonly<Record<string, string>> = {}) {
  return send(service.url, {
    path: '/api/call-response/',
    headers,
    ...asForm({ unique_key: uniqueKey, message_start_time: '1' }),
  });
}

async function respondTimes(service: TestService, times: number, headers?: Readonly<Record<string, string>>) {
  const statuses: number[] = [];
  for (let time = 0; time < times; time += 1)
    statuses.push((await respond(service, `unheard-of-${time}`, headers)).status);
  return statuses;
}

describe('LIMIT_UNKNOWN_ANSWERS', () => {
  it('who guesses keys is told 429 after a while; a phone that answers is never limited', async (t) => {
    const service = await startTestService(t, {
      settings: { LIMIT_UNKNOWN_ANSWERS: '3', APP_PUSH_ROUNDTRIP_WAIT: '20000' },
    });
    assert.deepEqual(await respondTimes(service, 3), [404, 404, 404]);
    const refused = await respond(service, 'unheard-of');
    assertLimited(refused);
    assert.deepEqual(
      [refused.contentType, refused.body],
      ['application/json', '{"detail":"Request was throttled."}'],
    );
    assert.equal(await limited(service, 'call-response'), 1);

    const phone = await service.phone({ silent: true });
    for (let call = 0; call < 5; call += 1) {
      const callId = randomUUID();
      const waiting = service.ask({ account: phone.account, callId });
      await until(() => service.running.waiting() === 1, 'the call waits');
      assert.equal((await respond(service, callId)).status, 202);
      assert.equal((await waiting).body, 'status=ACK');
      assert.equal((await respond(service, callId)).status, 202, 'repeated');
    }
    assertLimited(await respond(service, 'unheard-of'));
  });

  it('answers without their proof count as well', async (t) => {
    const service = await startTestService(t, {
      settings: { LIMIT_UNKNOWN_ANSWERS: '2', ANSWER_SECRET: '0123456789abcdef0123456789abcdef' },
    });
    assert.deepEqual(await respondTimes(service, 4), [404, 404, 429, 429]);
    const forged = { path: '/api/call-response/?proof=forged' };
    const typed = asForm({ unique_key: 'unheard-of', message_start_time: '1' });
    assertLimited(await send(service.url, { ...forged, ...typed }));
    const unproven = (proof: string) =>
      service.metric(`vialer_middleware_answers_unproven_total{proof="${proof}"}`);
    assert.deepEqual([await unproven('missing'), await unproven('wrong')], [4, 1]);
    const phone = await service.phone();
    assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
  });

  it('each client has a count of its own, behind a proxy too, and cannot choose another', async (t) => {
    const from = (address: string) => ({ 'x-forwarded-for': address });
    const behind = await startTestService(t, {
      settings: { LIMIT_UNKNOWN_ANSWERS: '2', TRUST_PROXY: '127.0.0.1' },
    });
    assert.deepEqual(await respondTimes(behind, 3, from('192.0.2.1')), [404, 404, 429]);
    assert.deepEqual(await respondTimes(behind, 3, from('6.6.6.6, 192.0.2.1')), [429, 429, 429]);
    assert.deepEqual(await respondTimes(behind, 2, from('192.0.2.2')), [404, 404]);
    assert.deepEqual(await respondTimes(behind, 2, from('2001:db8::1')), [404, 404]);
    assert.deepEqual(await respondTimes(behind, 1, from('2001:db8:0:0:ffff::1')), [429], 'the same /64');
    assert.deepEqual(await respondTimes(behind, 1, from('2001:db8:0:1::1')), [404], 'another one');

    const open = await startTestService(t, { settings: { LIMIT_UNKNOWN_ANSWERS: '2' } });
    const statuses: number[] = [];
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.3'])
      statuses.push(...(await respondTimes(open, 1, from(address))));
    assert.deepEqual(statuses, [404, 404, 429]);
  });

  it('0 is off', async (t) => {
    const service = await startTestService(t, { settings: { LIMIT_UNKNOWN_ANSWERS: '0' } });
    assert.deepEqual(new Set(await respondTimes(service, 200)), new Set([404]));
  });
});

describe('LIMIT_FAILED_AUTH', () => {
  const settings = { LIMIT_FAILED_AUTH: '2', TRUST_PROXY: '127.0.0.1' };
  const checkIn = (service: TestService, account: number, authorization?: string, address = '192.0.2.1') =>
    send(service.url, {
      path: '/api/check-in/',
      headers: { 'x-forwarded-for': address, ...(authorization === undefined ? {} : { authorization }) },
      ...asJson({ sip_user_id: account }),
    });

  it('wrong credentials for an account: 429, and the platform is not asked', async (t) => {
    const service = await startTestService(t, { settings });
    const phone = await service.phone();
    const right = service.world.platform.addUser({
      account: phone.account,
      user: 'a@example.com',
      password: 'p',
      token: 't',
    }).token;
    const other = await service.phone();
    for (const [authorization, status] of [
      ['Token guess:1', 401],
      ['Token guess:2', 401],
    ] as const)
      assert.equal((await checkIn(service, phone.account, authorization)).status, status);
    const asked = service.world.platform.requests('profile');
    const refused = await checkIn(service, phone.account, 'Token guess:3');
    assertLimited(refused);
    assert.equal(refused.body, '{"detail":"Request was throttled."}');
    assert.equal(refused.headers['www-authenticate'], undefined);
    assertLimited(await checkIn(service, phone.account, right));
    assert.equal(service.world.platform.requests('profile'), asked);
    assert.equal(await limited(service, 'check-in'), 2);
    assert.equal((await checkIn(service, phone.account, right, '192.0.2.2')).status, 200, 'elsewhere');
    assert.equal((await other.register()).status, 200, 'another account, and no address');
    assert.equal(
      (await checkIn(service, phone.account)).status,
      401,
      'no credential at all costs nobody anything',
    );
  });

  it("somebody else's account counts, and ten times as many failures of one address for whatever accounts", async (t) => {
    const service = await startTestService(t, { settings });
    const mine = newAccount();
    const { token } = service.world.platform.addUser({
      account: mine,
      user: 'b@example.com',
      password: 'p',
      token: 't',
    });
    const foreign = newAccount();
    assert.deepEqual(
      [
        (await checkIn(service, foreign, token)).status,
        (await checkIn(service, foreign, token)).status,
        (await checkIn(service, foreign, token)).status,
      ],
      [403, 403, 429],
    );
    for (let guess = 2; guess < 20; guess += 1)
      assert.equal((await checkIn(service, newAccount(), 'Token guess:1')).status, 401);
    assertLimited(await checkIn(service, newAccount(), 'Token guess:1'));
    assertLimited(await checkIn(service, mine, token));
    assert.equal((await checkIn(service, mine, token, '192.0.2.2')).status, 404, 'no phone, but no limit');
    assert.equal(await refusedFor(service, 'check-in', 'forbidden'), 2);
    assert.equal(await refusedFor(service, 'check-in', 'unauthenticated'), 18);
  });

  it('guesses that are sent at the same moment are counted before the platform has judged them', async (t) => {
    const service = await startTestService(t, { settings: { ...settings, LIMIT_FAILED_AUTH: '12' } });
    const phone = await service.phone();
    service.world.platform.script({ kind: 'delay', ms: 500 });
    const asked = service.world.platform.requests('profile');
    const guesses = Array.from({ length: 100 }, (_, guess) =>
      checkIn(service, phone.account, `Token guess:${guess}`),
    );
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 401).length, 12);
    assert.equal(statuses.filter((status) => status === 429).length, 88);
    assert.equal(service.world.platform.requests('profile') - asked, 12);
  });

  it('so are guesses for different accounts', async (t) => {
    const service = await startTestService(t, { settings });
    service.world.platform.script({ kind: 'delay', ms: 300 });
    const guesses = Array.from({ length: 60 }, () => checkIn(service, newAccount(), 'Token guess:1'));
    const statuses = (await Promise.all(guesses)).map(({ status }) => status);
    assert.equal(statuses.filter((status) => status === 401).length, 20);
    assert.equal(statuses.filter((status) => status === 429).length, 40);
  });

  it('a phone may ask as much at once as it likes, however low the limit is', async (t) => {
    const service = await startTestService(t, { settings: { ...settings, LIMIT_FAILED_AUTH: '1' } });
    const phone = await service.phone();
    const answers = await Promise.all(Array.from({ length: 50 }, () => phone.register()));
    assert.deepEqual(new Set(answers.map(({ status }) => status)), new Set([200]));
  });

  it('a platform that is away is no failure of the client', async (t) => {
    const service = await startTestService(t, { settings });
    service.world.platform.script({ kind: 'answer', status: 500 });
    for (let time = 0; time < 5; time += 1)
      assert.equal((await checkIn(service, 123_456_789, 'Token a:b')).status, 503);
    assert.equal(await refusedFor(service, 'check-in', 'platform-down'), 5);
  });

  it('a PBX that may not ask is told 429; one that may is served whatever the others did', async (t) => {
    const service = await startTestService(t, { settings: { LIMIT_FAILED_AUTH: '2', PBX_TOKEN } });
    const phone = await service.phone();
    const ask = (token: string) =>
      send(service.url, {
        path: '/api/incoming-call/',
        headers: { authorization: `Bearer ${token}` },
        ...asForm({ sip_user_id: String(phone.account), phonenumber: '0612345678' }),
      });
    assert.deepEqual([(await ask('guess-1')).status, (await ask('guess-2')).status], [403, 403]);
    const refused = await ask('guess-3');
    assertLimited(refused);
    assert.equal(refused.contentType, 'text/plain; charset=utf-8');
    assert.match(refused.body, /^Refused: /);
    assert.doesNotMatch(refused.body, /status=/);
    assert.equal((await ask(PBX_TOKEN)).body, 'status=ACK');
    assert.equal(await limited(service, 'pbx'), 1);
  });
});

it('a flood of bad requests does not flood the log: a few lines, then how many more there were', async (t) => {
  const service = await startTestService(t, { settings: { LIMIT_UNKNOWN_ANSWERS: '3' } });
  for (let time = 0; time < 50; time += 1) {
    assert.equal((await send(service.url, { path: '/api/call-response/', ...asJson({}) })).status, 400);
  }
  await respondTimes(service, 50);
  const lines = (message: string) => service.logged.filter((line) => line.message === message);
  assert.equal(lines('invalid request').length, 20);
  assert.equal(lines('request refused').length, 20);
  assert.equal(
    await service.metric(
      'vialer_middleware_requests_invalid_total{endpoint="call-response",field="unique_key"}',
    ),
    50,
  );
  assert.equal(await limited(service, 'call-response'), 47);
  await service.running.stop();
  assert.equal(lines('more lines like "invalid request" were left out')[0]?.fields['leftOut'], 30);
  assert.equal(lines('more lines like "request refused" were left out')[0]?.fields['leftOut'], 27);
});

it('a flood of answers to a call that is over does not flood the log either', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '500' } });
  const phone = await service.phone({ silent: true });
  const callId = randomUUID();
  assert.equal((await service.ask({ account: phone.account, callId })).outcome, 'timed-out');
  for (const key of [callId, 'unheard-of']) {
    for (let time = 0; time < 400; time += 1) await respond(service, key);
  }
  const lines = (message: string) => service.logged.filter((line) => line.message === message);
  assert.equal(lines('app answered: late').length, 300);
  assert.equal(lines('app answered: unknown').length, 300);
  assert.equal(await service.metric('vialer_middleware_answers_total{fate="late"}'), 400);
  await service.running.stop();
  assert.equal(lines('more lines like "app answered: late" were left out')[0]?.fields['leftOut'], 100);
});
