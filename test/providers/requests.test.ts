import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { decodeJwt, decodeProtectedHeader } from 'jose';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';
import { askedOfApple, askedOfGoogle } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const HEX32 = /^[0-9a-f]{32}$/;
const APP = 'com.example.phone';

function typesOf(record: object): Record<string, string> {
  return Object.fromEntries(Object.entries(record).map(([key, value]) => [key, typeof value]));
}

/** Without the symbol under which Node keeps the names of headers that must not be indexed. */
function plain(headers: object): Record<string, unknown> {
  return Object.fromEntries(Object.entries(headers));
}

const CALL = { phoneNumber: '+31 20 123 45 67', callerId: 'Zoë "Z" 📞' };

describe('what Apple is sent for a call', { concurrency: true }, () => {
  it('exactly these headers', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone({ kind: 'ios' });
    await service.ask({ account: phone.account, ...CALL });
    const [request] = askedOfApple(service, phone);
    const { authorization, 'apns-id': id, ...rest } = request?.headers ?? {};
    assert.deepEqual(plain(rest), {
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': new URL(service.world.apple.origin).host,
      ':path': `/3/device/${phone.token}`,
      'apns-topic': `${APP}.voip`,
      'apns-push-type': 'voip',
      'apns-priority': '10',
      'apns-expiration': '0',
    });
    assert.match(String(id), UUID);
    const jwt = /^bearer (.+)$/.exec(authorization ?? '')?.[1] ?? '';
    const { teamId, keyId } = service.world.teamKey;
    assert.deepEqual(decodeProtectedHeader(jwt), { alg: 'ES256', kid: keyId });
    const { iat = 0, ...claims } = decodeJwt(jwt);
    assert.deepEqual(claims, { iss: teamId });
    assert.ok(Math.abs(iat - Date.now() / 1000) < 60);
  });

  it('exactly this payload, its numbers as numbers', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone({ kind: 'ios' });
    const callId = randomUUID();
    const before = Date.now() / 1000;
    await service.ask({ account: phone.account, callId, ...CALL });
    const [push] = service.world.apple.received.list();
    assert.ok(push);
    const { message_start_time: start, ...rest } = push.payload;
    assert.deepEqual(rest, {
      aps: {},
      type: 'call',
      unique_key: callId,
      phonenumber: CALL.phoneNumber,
      caller_id: CALL.callerId,
      response_api: `${service.url}/api/call-response/`,
      attempt: 1,
      vg_cid: callId,
    });
    assert.ok(typeof start === 'number' && start >= before && start <= Date.now() / 1000);
  });

  it('a call without a call_id: 32 hex digits, another one each time, and an id each', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone({ kind: 'ios' });
    for (const _ of [1, 2]) await service.ask({ account: phone.account });
    const keys = service.world.apple.received.list().map((push) => String(push.payload['unique_key']));
    assert.equal(new Set(keys).size, 2);
    for (const key of keys) assert.match(key, HEX32);
    assert.equal(new Set(askedOfApple(service, phone).map((request) => request.headers['apns-id'])).size, 2);
  });

  it('a phone of each environment is pushed in its own', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const { apple, appleSandbox } = service.world;
    const released = await service.phone({ kind: 'ios', sandbox: false });
    const debug = await service.phone({ kind: 'ios', sandbox: true });
    assert.equal((await service.ask({ account: debug.account })).outcome, 'ready');
    assert.deepEqual([apple.requests.count(), appleSandbox.requests.count()], [0, 1]);
    assert.equal((await service.ask({ account: released.account })).outcome, 'ready');
    assert.deepEqual([apple.requests.count(), appleSandbox.requests.count()], [1, 1]);
  });
});

describe('what Google is sent for a call', { concurrency: true }, () => {
  it('exactly these headers and this body, every value a string', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone();
    const before = Date.now() / 1000;
    await service.ask({ account: phone.account, callId: 'call-1@pbx', ...CALL });
    const [request] = askedOfGoogle(service, phone);
    const { authorization, ...headers } = request?.headers ?? {};
    assert.deepEqual(plain(headers), {
      ':method': 'POST',
      ':scheme': 'https',
      ':authority': new URL(service.world.google.origin).host,
      ':path': '/v1/projects/sandbox-project/messages:send',
      'content-type': 'application/json',
    });
    assert.match(authorization ?? '', /^Bearer \S+$/);
    const [push] = service.world.google.received.list();
    assert.ok(push);
    assert.deepEqual(request?.body, {
      message: { token: phone.token, data: push.payload, android: { priority: 'HIGH', ttl: '0s' } },
    });
    const { message_start_time: start, ...rest } = push.payload;
    assert.deepEqual(rest, {
      type: 'call',
      unique_key: 'call-1@pbx',
      phonenumber: CALL.phoneNumber,
      caller_id: CALL.callerId,
      response_api: `${service.url}/api/call-response/`,
      attempt: '1',
      vg_cid: 'call-1@pbx',
    });
    assert.match(String(start), /^\d{10}\.\d{7}$/);
    assert.ok(Number(start) >= before - 0.001 && Number(start) <= Date.now() / 1000 + 0.001);
    assert.deepEqual(new Set(Object.values(typesOf(push.payload))), new Set(['string']));
  });

  it('a resend differs in attempt and start time only', async (t) => {
    const service = await startTestService(t, {
      settings: { APP_PUSH_ROUNDTRIP_WAIT: '900', APP_PUSH_RESEND_INTERVAL: '200' },
    });
    const phone = await service.phone({ silent: true });
    await service.ask({ account: phone.account, ...CALL });
    const payloads = service.world.google.received.list().map((push) => push.payload);
    assert.deepEqual(
      payloads.map((payload) => payload['attempt']),
      ['1', '2', '3'],
    );
    const same = payloads.map(({ attempt: _a, message_start_time: _m, ...rest }) => JSON.stringify(rest));
    assert.equal(new Set(same).size, 1);
    const starts = payloads.map((payload) => Number(payload['message_start_time']));
    assert.ok(starts.every((start, n) => n === 0 || start > (starts[n - 1] ?? 0)));
  });
});

describe('long names', { concurrency: true }, () => {
  const LONGEST = '📞'.repeat(255);

  for (const kind of ['ios', 'android'] as const) {
    it(`255 characters of 4 bytes reach an ${kind} phone whole`, async (t) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ kind });
      const { outcome } = await service.ask({ account: phone.account, callerId: LONGEST });
      assert.equal(outcome, 'ready');
      const { received } = kind === 'ios' ? service.world.apple : service.world.google;
      assert.equal(received.list()[0]?.payload['caller_id'], LONGEST);
    });
  }

  it('where a payload would be too large the name is cut between characters, and no shorter than needed', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone();
    // Control characters take six bytes each in JSON, and the key is in the payload twice.
    const callId = '\u0001'.repeat(255);
    const { outcome } = await service.ask({ account: phone.account, callerId: LONGEST, callId });
    assert.equal(outcome, 'ready');
    const payload = service.world.google.received.list()[0]?.payload ?? {};
    const name = String(payload['caller_id']);
    assert.match(name, /^(📞)+$/u);
    const bytes = Buffer.byteLength(JSON.stringify(payload));
    assert.ok(name.length < LONGEST.length && bytes <= 4096 && bytes > 4096 - 4, `${bytes} bytes`);
    assert.equal(payload['unique_key'], callId);
  });
});

it('everything stands before the first call, and the call uses it', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const { apple, appleSandbox, google } = service.world;
  await until(() => apple.sessions() === 1 && google.sessions() === 1, 'both connections stand');
  await until(() => google.tokensIssued() === 1, 'the access token is there');
  assert.deepEqual([apple.requests.count(), google.requests.count()], [0, 0]);
  assert.equal(appleSandbox.accepted(), 0);
  const connections = [apple.accepted(), google.accepted()];
  for (const kind of ['ios', 'android'] as const) {
    const phone = await service.phone({ kind });
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  }
  assert.deepEqual([apple.accepted(), google.accepted()], connections);
  assert.equal(google.tokensIssued(), 1);
});
