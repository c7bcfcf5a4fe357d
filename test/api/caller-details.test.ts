import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';
import { asForm, asJson, send, type TypedBody } from './http-client.ts';

const FORM = 'application/x-www-form-urlencoded';
const LATIN1 = Buffer.from('Zo\u00eb', 'latin1');
const FAMILY = '👨‍👩‍👧';

/** A real one of a PBX: 300 characters, with the signs that Call-IDs have. */
const LONG_ID = `${'a1;[+]b2'.repeat(35)}@pbx.example.org:5060`.slice(0, 300);

/** What the last push of the phone carried. */
function pushed(phone: TestPhone): Readonly<Record<string, unknown>> {
  const push = phone.steps.findLast((step) => step.kind === 'push-received');
  assert.ok(push?.kind === 'push-received', 'a push came');
  return push.push.payload;
}

function ask(url: string, typed: TypedBody) {
  return send(url, { path: '/api/incoming-call/', ...typed });
}

it('a detail about the caller never costs the call', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  for (const kind of ['android', 'ios'] as const) {
    const phone = await service.phone({ kind });
    const account = phone.account;
    const rows: readonly (readonly [string, unknown, string])[] = [
      ['no number', {}, 'anonymous'],
      ['empty', { phonenumber: '' }, 'anonymous'],
      ['null', { phonenumber: null, caller_id: null, call_id: null }, 'anonymous'],
      ['a list, true, an object', { phonenumber: [1], caller_id: true, call_id: {} }, 'anonymous'],
      ['<unknown>', { phonenumber: '<unknown>' }, 'anonymous'],
      ['a number of JSON', { phonenumber: 31612345678 }, '31612345678'],
      ['a SIP URI', { phonenumber: 'sip:+31612345678@pbx.example.org;user=phone' }, '+31612345678'],
      ['a name-addr', { phonenumber: '"Bob" <sip:%2B31612345678@h;user=phone>;tag=1' }, '+31612345678'],
      ['a tel URI', { phonenumber: 'tel:+31612345678;isub=1' }, '+31612345678'],
      ['control characters', { phonenumber: '06\x0712', caller_id: 'a\0b' }, '0612'],
      ['too long', { phonenumber: '1'.repeat(60_000) }, '1'.repeat(32)],
    ];
    for (const [what, details, shown] of rows) {
      const answer = await ask(service.url, asJson({ sip_user_id: account, ...Object(details) }));
      assert.deepEqual([answer.status, answer.body], [200, 'status=ACK'], what);
      assert.equal(pushed(phone)['phonenumber'], shown, what);
    }
  }
});

it('a name of any length or encoding wakes the phone', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  for (const kind of ['android', 'ios'] as const) {
    const phone = await service.phone({ kind });
    const form = (name: Buffer) => ({
      type: FORM,
      body: Buffer.concat([Buffer.from(`sip_user_id=${phone.account}&caller_id=`), name]),
    });
    const json = (name: Buffer) => ({
      type: 'application/json',
      body: Buffer.concat([
        Buffer.from(`{"sip_user_id":${phone.account},"caller_id":"`),
        name,
        Buffer.from('"}'),
      ]),
    });
    const rows: readonly (readonly [Buffer, string])[] = [
      [Buffer.from('x'.repeat(300)), 'x'.repeat(255)],
      [Buffer.from(`${'x'.repeat(254)}😀`), `${'x'.repeat(254)}😀`],
      [Buffer.from(`${'x'.repeat(255)}😀`), 'x'.repeat(255)],
      [Buffer.from(`${'x'.repeat(254)}${FAMILY}`), 'x'.repeat(254)],
      [LATIN1, 'Zo\ufffd'],
    ];
    for (const [name, shown] of rows) {
      for (const body of [form(name), json(name)]) {
        const answer = await ask(service.url, body);
        assert.deepEqual([answer.status, answer.body], [200, 'status=ACK'], `${body.type} ${shown}`);
        assert.equal(pushed(phone)['caller_id'], shown);
      }
    }
  }
});

it('a tab in a name or a byte order mark costs no call, and is refused from an app', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  const phone = await service.phone();
  const type = 'application/json';
  for (const body of [
    `{"sip_user_id":${phone.account},"caller_id":"Jan\tde Vries"}`,
    `\ufeff{"sip_user_id":${phone.account},"caller_id":"Jan de Vries"}`,
  ]) {
    const answer = await ask(service.url, { type, body });
    assert.deepEqual([answer.status, answer.body], [200, 'status=ACK']);
    assert.equal(pushed(phone)['caller_id'], 'Jan de Vries');
  }
  const cancel = { path: '/api/call-cancelled/', type, body: '\ufeff{"call_id":"x","reason":"a\tb"}' };
  assert.equal((await send(service.url, cancel)).status, 404, 'read, and no such call');
  const answer = {
    path: '/api/call-response/',
    type,
    body: '{"unique_key":"a\tb","message_start_time":1}',
  };
  assert.equal((await send(service.url, answer)).status, 400);
});

it('a call_id that is a number beyond 2^53 is answered and cancelled by it, to the digit', async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000', APP_PUSH_RESEND_INTERVAL: '20000' },
  });
  const type = 'application/json';
  const cancel = (id: string) =>
    send(service.url, { path: '/api/call-cancelled/', type, body: `{"call_id":${id}}` });
  for (const [kind, callId, another] of [
    ['android', '12345678901234567891', '12345678901234567892'],
    ['ios', '22345678901234567891', '22345678901234567892'],
  ] as const) {
    const phone = await service.phone({ kind, silent: true });
    const call = { type, body: `{"sip_user_id":${phone.account},"call_id":${callId}}` };
    const first = ask(service.url, call);
    await until(() => phone.pushes() === 1, 'the phone is pushed');
    const body = `{"unique_key":${callId},"message_start_time":1}`;
    assert.equal((await send(service.url, { path: '/api/call-response/', type, body })).status, 202);
    assert.equal((await first).body, 'status=ACK');

    const stranger = await service.phone({ kind, silent: true });
    const second = ask(service.url, {
      ...call,
      body: `{"sip_user_id":${stranger.account},"call_id":${callId}}`,
    });
    await until(() => stranger.pushes() === 1, 'the second phone is pushed');
    assert.equal((await cancel(another)).status, 404, 'another call');
    assert.equal((await cancel(callId)).body, 'status=CANCELLED');
    assert.equal((await second).headers['x-wake-outcome'], 'cancelled');
  }
});

it('a missing or wrong account stays 400, whatever else is sent', async (t) => {
  const service = await startTestService(t);
  for (const account of [undefined, null, '', 'alice', '12345678', 1234567890, true]) {
    const answer = await ask(service.url, asJson({ sip_user_id: account, phonenumber: '<unknown>' }));
    assert.deepEqual([answer.status, answer.headers['x-invalid-field']], [400, 'sip_user_id']);
    assert.doesNotMatch(answer.body, /status=ACK/);
  }
});

/** Asks with the long call_id at one instance; the others repeat, answer and cancel it by that name. */
async function byTheLongName(asked: TestService, other: TestService): Promise<void> {
  const respond = (uniqueKey: string) =>
    send(other.url, {
      path: '/api/call-response/',
      ...asForm({ unique_key: uniqueKey, message_start_time: '1' }),
    });
  for (const kind of ['android', 'ios'] as const) {
    const callId = `${kind}-${LONG_ID}`;
    const cancel = () => send(other.url, { path: '/api/call-cancelled/', ...asForm({ call_id: callId }) });
    const phone = await asked.phone({ kind, silent: true });
    const fields = { sip_user_id: String(phone.account), call_id: callId };
    const first = ask(asked.url, asForm(fields));
    await until(() => phone.pushes() === 1, 'the phone is pushed');
    const again = ask(asked.url, asForm(fields));
    await until(
      () =>
        asked.logged.some(
          ({ message, fields: { account } }) => message === 'call asked again' && account === phone.account,
        ),
      'the repeat has joined',
    );
    assert.equal((await respond(callId)).status, 202);
    assert.equal((await first).body, 'status=ACK');
    assert.equal((await again).body, 'status=ACK');
    assert.equal(phone.pushes(), 1, 'the repeat pushes nothing');
    const key = createHash('sha256').update(callId).digest('hex').slice(0, 32);
    assert.equal(pushed(phone)['unique_key'], key, 'a key that an iPhone takes');

    const stranger = await asked.phone({ kind, silent: true });
    const second = ask(asked.url, asForm({ ...fields, sip_user_id: String(stranger.account) }));
    await until(() => stranger.pushes() === 1, 'the second phone is pushed');
    assert.equal((await cancel()).body, 'status=CANCELLED');
    assert.equal((await second).headers['x-wake-outcome'], 'cancelled');
    assert.equal((await cancel()).status, 404);
  }
}

it('a call_id of 300 characters is repeated, answered and cancelled by that name', async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000', APP_PUSH_RESEND_INTERVAL: '20000' },
  });
  await byTheLongName(service, service);
});

describe('the same with two instances', { skip: skipWithout('Redis') }, () => {
  const servers: RedisServer[] = [];
  before(async () => {
    servers.push(await startRedis());
  });
  after(() => servers[0]?.close());

  it('a call_id of 300 characters is found at the other instance', async (t) => {
    const settings = {
      REDIS_URL: servers[0]?.url ?? '',
      APP_PUSH_ROUNDTRIP_WAIT: '20000',
      APP_PUSH_RESEND_INTERVAL: '20000',
    };
    const one = await startTestService(t, { settings });
    const other = await startTestService(t, { settings });
    for (const { url } of [one, other]) {
      await until(
        async () => (await (await fetch(`${url}/readyz`)).text()).includes('"ready"'),
        'Redis is up',
      );
    }
    await byTheLongName(one, other);
  });
});
