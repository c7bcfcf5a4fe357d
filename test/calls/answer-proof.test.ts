import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { createAnswerProofs } from '../../src/calls/answer-proof.ts';
import { askPbx } from '../../src/sandbox/pbx.ts';
import { asForm, send } from '../api/http-client.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';

const SECRET = 'a secret of at least 32 characters'.replaceAll(' ', '-');
const OTHER = 'another secret, of 32 characters too'.replaceAll(' ', '-');

/** The payload of the first push that reached the phone. */
async function pushTo(phone: TestPhone): Promise<Readonly<Record<string, unknown>>> {
  await until(() => phone.pushes() > 0, 'the phone is pushed');
  const [step] = phone.steps.flatMap((each) => (each.kind === 'push-received' ? [each] : []));
  return step?.push.payload ?? {};
}

function post(service: TestService, path: string, uniqueKey: string) {
  return send(service.url, { path, ...asForm({ unique_key: uniqueKey, message_start_time: '1' }) });
}

function fates(service: TestService, fate: string) {
  return service.metric(`vialer_middleware_answers_total{fate="${fate}"}`);
}

describe('ANSWER_SECRET', () => {
  it('phones of both systems answer as ever, to an address that names their call', async (t) => {
    const service = await startTestService(t, { settings: { ANSWER_SECRET: SECRET } });
    for (const kind of ['ios', 'android'] as const) {
      const phone = await service.phone({ kind });
      const callId = randomUUID();
      assert.equal((await service.ask({ account: phone.account, callId })).body, 'status=ACK');
      const address = String((await pushTo(phone))['response_api']);
      const url = new URL(address);
      assert.equal(url.origin, service.url);
      assert.equal(url.pathname, '/api/call-response/');
      assert.match(url.search, /^\?proof=[A-Za-z0-9_-]{22}$/);
    }
    assert.equal(await fates(service, 'unproven'), 0);
  });

  it('who knows the key and not the proof is told 404 like anyone, and the call waits on', async (t) => {
    const service = await startTestService(t, {
      settings: { ANSWER_SECRET: SECRET, APP_PUSH_ROUNDTRIP_WAIT: '20000' },
    });
    const [phone, other] = [await service.phone({ silent: true }), await service.phone({ silent: true })];
    const [callId, otherId] = [randomUUID(), randomUUID()];
    const waiting = service.ask({ account: phone.account, callId });
    const otherWaiting = service.ask({ account: other.account, callId: otherId });
    const [pushed, pushedOther] = [await pushTo(phone), await pushTo(other)];
    const { search } = new URL(String(pushed['response_api']));
    const { search: ofTheOther } = new URL(String(pushedOther['response_api']));
    const [key, otherKey] = [String(pushed['unique_key']), String(pushedOther['unique_key'])];
    const forged = createAnswerProofs({ secret: OTHER, otherSecret: undefined, carrier: 'address' });
    const stranger = await post(service, '/api/call-response/?proof=x', 'unheard-of');
    for (const query of [
      '',
      '?',
      '?proof=',
      '?proof=x',
      ofTheOther,
      search.slice(0, -1),
      `${search}A`,
      `?PROOF=${search.slice(7)}`,
      new URL(forged.addressFor('http://x/', key)).search,
    ]) {
      const answer = await post(service, `/api/call-response/${query}`, key);
      const told = ({ status, body, contentType }: typeof answer) => [status, body, contentType];
      assert.deepEqual(told(answer), told(stranger), query);
      assert.equal(answer.status, 404);
    }
    assert.equal(service.running.waiting(), 2);
    assert.equal(await fates(service, 'unproven'), 10);
    assert.equal((await fates(service, 'taken')) + (await fates(service, 'unknown')), 0);
    assert.equal(await service.metric('vialer_middleware_answers_unproven_total{proof="missing"}'), 4);
    assert.equal(await service.metric('vialer_middleware_answers_unproven_total{proof="wrong"}'), 6);

    assert.equal((await post(service, `/api/call-response/${search}`, key)).status, 202);
    assert.equal((await waiting).body, 'status=ACK');
    assert.equal((await post(service, `/api/call-response/${search}`, key)).status, 202, 'again');
    assert.equal((await post(service, '/api/call-response/', key)).status, 404, 'without its proof');
    // With the key of the one and the proof of the other nothing moves.
    assert.equal((await post(service, `/api/call-response/${search}`, otherKey)).status, 404);
    assert.equal((await post(service, `/api/call-response/${ofTheOther}`, otherKey)).status, 202);
    await otherWaiting;
  });

  for (const [carrier, kind] of [
    ['address', 'android'],
    ['address', 'ios'],
    ['key', 'android'],
  ] as const) {
    it(`the proof of an earlier call is none for a later one with its call_id (${carrier}, ${kind})`, async (t) => {
      const service = await startTestService(t, {
        settings: { ANSWER_SECRET: SECRET, ANSWER_PROOF: carrier, APP_PUSH_ROUNDTRIP_WAIT: '1500' },
      });
      const phone = await service.phone({ silent: true, kind });
      const call = { account: phone.account, callId: randomUUID() };
      assert.equal((await service.ask(call)).outcome, 'timed-out');
      const earlier = await pushTo(phone);
      const waiting = service.ask(call);
      await until(() => phone.pushes() === 2, 'the phone is pushed again');
      const search = new URL(String(earlier['response_api'])).search;
      const address = `/api/call-response/${search}`;
      for (const key of [String(earlier['unique_key']), call.callId]) {
        assert.equal((await post(service, address, key)).status, 404, key);
      }
      assert.equal(service.running.waiting(), 1);
      const later = phone.steps.findLast((step) => step.kind === 'push-received');
      assert.ok(later?.kind === 'push-received');
      assert.equal((await phone.answer(later.push)).status, 202);
      assert.equal((await waiting).outcome, 'ready');
    });
  }

  it('while a secret is replaced, instances take each other’s proofs', async (t) => {
    const rows = [
      [{ ANSWER_SECRET: SECRET, ANSWER_SECRET_OTHER: OTHER }, SECRET, OTHER],
      [{ ANSWER_SECRET: OTHER, ANSWER_SECRET_OTHER: SECRET }, OTHER, SECRET],
    ] as const;
    for (const [settings, signs, accepted] of rows) {
      const service = await startTestService(t, { settings });
      const phone = await service.phone({ silent: true });
      const callId = randomUUID();
      const waiting = service.ask({ account: phone.account, callId });
      const push = await pushTo(phone);
      const [pushed, key] = [new URL(String(push['response_api'])), String(push['unique_key'])];
      const by = (secret: string) =>
        createAnswerProofs({ secret, otherSecret: undefined, carrier: 'address' }).addressFor(
          `${service.url}/api/call-response/`,
          key,
        );
      assert.equal(pushed.href, by(signs));
      const { pathname, search } = new URL(by(accepted));
      assert.equal((await post(service, pathname + search, key)).status, 202);
      assert.equal((await waiting).body, 'status=ACK');
    }
  });

  it('the longest call still fits in a push', async (t) => {
    const service = await startTestService(t, { settings: { ANSWER_SECRET: SECRET } });
    for (const kind of ['ios', 'android'] as const) {
      const phone = await service.phone({ kind });
      const answer = await askPbx({
        url: service.url,
        account: phone.account,
        phoneNumber: '0'.repeat(32),
        callId: kind === 'ios' ? randomUUID() : '📞'.repeat(254) + String(phone.account).slice(-1),
        callerId: '👨‍👩‍👧'.repeat(51),
      });
      assert.equal(answer.outcome, 'ready', kind);
    }
  });
});

describe('ANSWER_PROOF', () => {
  it('key: apps that do not post to response_api as it is are served, by a key that proves itself', async (t) => {
    const service = await startTestService(t, {
      settings: { ANSWER_SECRET: SECRET, ANSWER_PROOF: 'key', APP_PUSH_ROUNDTRIP_WAIT: '20000' },
    });
    const phone = await service.phone({ silent: true });
    const callId = 'the-pbx-counts-1';
    const waiting = service.ask({ account: phone.account, callId });
    const again = service.ask({ account: phone.account, callId });
    const push = await pushTo(phone);
    const key = String(push['unique_key']);
    assert.match(key, /^[0-9a-f]{32}$/);
    assert.equal(push['response_api'], `${service.url}/api/call-response/`);
    const [random, made] = [key.slice(0, 16), key.slice(16)];
    const flipped = made.startsWith('0') ? `1${made.slice(1)}` : `0${made.slice(1)}`;
    for (const guess of [callId, 'f'.repeat(32), random + flipped, made + random, random]) {
      assert.equal((await post(service, '/api/call-response/', guess)).status, 404, guess);
    }
    assert.equal(await fates(service, 'unproven'), 5);
    assert.equal((await post(service, '/api/call-response/', key)).status, 202);
    assert.deepEqual([(await waiting).body, (await again).body], ['status=ACK', 'status=ACK']);
    assert.equal(phone.pushes(), 1);
  });

  it('key: a proof in the address, of an instance that was not changed yet, is taken as well', async (t) => {
    const service = await startTestService(t, {
      settings: { ANSWER_SECRET: OTHER, ANSWER_SECRET_OTHER: SECRET, ANSWER_PROOF: 'key' },
    });
    const proofs = createAnswerProofs({ secret: SECRET, otherSecret: undefined, carrier: 'address' });
    const { search } = new URL(proofs.addressFor('http://x/', 'gone'));
    await post(service, `/api/call-response/${search}`, 'gone');
    assert.equal(await fates(service, 'unknown'), 1);
    const byKey = createAnswerProofs({ secret: SECRET, otherSecret: undefined, carrier: 'key' });
    await post(service, '/api/call-response/', byKey.newKey?.() ?? '');
    assert.equal(await fates(service, 'unknown'), 2);
    assert.equal(await fates(service, 'unproven'), 0);
  });

  it('key: a call that was begun with a key of another making is proven by the address', () => {
    const options = { secret: SECRET, otherSecret: undefined };
    const [key, address] = [
      createAnswerProofs({ ...options, carrier: 'key' }),
      createAnswerProofs({ ...options, carrier: 'address' }),
    ];
    const base = 'https://push.example.org/api/call-response/';
    const own = key.newKey?.() ?? '';
    assert.equal(key.addressFor(base, own), base);
    for (const uniqueKey of ['pbx-1', own.toUpperCase(), own.slice(1)]) {
      assert.equal(key.addressFor(base, uniqueKey), address.addressFor(base, uniqueKey), uniqueKey);
      const proof = new URL(key.addressFor(base, uniqueKey)).searchParams.get('proof') ?? '';
      assert.equal(key.proves(uniqueKey, proof), true);
      assert.equal(key.proves(uniqueKey, ''), false);
    }
  });

  it('optional: an answer without its proof is taken, and counted', async (t) => {
    const service = await startTestService(t, {
      settings: { ANSWER_SECRET: SECRET, ANSWER_PROOF: 'optional', APP_PUSH_ROUNDTRIP_WAIT: '20000' },
    });
    const phone = await service.phone({ silent: true });
    const callId = randomUUID();
    const waiting = service.ask({ account: phone.account, callId });
    assert.match(String((await pushTo(phone))['response_api']), /\?proof=/);
    assert.equal((await post(service, '/api/call-response/', callId)).status, 202);
    assert.equal((await waiting).body, 'status=ACK');
    assert.equal(await service.metric('vialer_middleware_answers_unproven_total{proof="missing"}'), 1);
    assert.equal(await fates(service, 'unproven'), 0);
  });

  it('optional-key: pushes carry keys that prove themselves, and answers to other keys are still taken', async (t) => {
    const service = await startTestService(t, {
      settings: { ANSWER_SECRET: SECRET, ANSWER_PROOF: 'optional-key', APP_PUSH_ROUNDTRIP_WAIT: '20000' },
    });
    const phone = await service.phone({ silent: true });
    const waiting = service.ask({ account: phone.account, callId: 'pbx-1' });
    const key = String((await pushTo(phone))['unique_key']);
    assert.match(key, /^[0-9a-f]{32}$/);
    assert.equal((await post(service, '/api/call-response/', 'of-another-instance')).status, 404);
    assert.equal(await fates(service, 'unknown'), 1, 'it is looked for');
    assert.equal((await post(service, '/api/call-response/', key)).status, 202);
    assert.equal((await waiting).body, 'status=ACK');
    assert.equal(await service.metric('vialer_middleware_answers_unproven_total{proof="missing"}'), 1);
  });
});
