import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import type { DeliveredPush } from '../../src/sandbox/push-log.ts';
import { margin } from '../helpers/margin.ts';
import { newAccount, startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';
import { asForm, asJson, send } from './http-client.ts';

/** Long enough that only what is meant to end a call does. */
const PATIENT = { APP_PUSH_ROUNDTRIP_WAIT: '30000', APP_PUSH_RESEND_INTERVAL: '30000' };

function respond(service: TestService, fields: Readonly<Record<string, unknown>>) {
  return send(service.url, { path: '/api/call-response/', ...asJson(fields) });
}

/** A call that waits for a phone which says nothing by itself. */
async function waitingCall(service: TestService, callId: string) {
  const phone = await service.phone({ silent: true });
  const answer = service.ask({ account: phone.account, callId });
  await until(() => phone.pushes() === 1, 'the phone is pushed');
  return { phone, answer };
}

function messagesTo(phone: TestPhone): unknown[] {
  return phone.steps.flatMap((step) =>
    step.kind === 'push-received' && step.push.payload['type'] === 'message'
      ? [step.push.payload['message']]
      : [],
  );
}

it('row 2: a phone that answers at once is always heard, with 8 calls at a time', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  for (const kind of ['android', 'ios'] as const) {
    const phone = await service.phone({ kind, silent: true });
    const answers: Promise<{ readonly status: number }>[] = [];
    const source = kind === 'ios' ? service.world.apple : service.world.google;
    const stop = source.onPush(phone.token, (push: DeliveredPush) => answers.push(phone.answer(push)));
    for (let round = 0; round < 16; round += 1) {
      const calls = await Promise.all(
        Array.from({ length: 8 }, () => service.ask({ account: phone.account })),
      );
      assert.deepEqual([...new Set(calls.map((call) => call.body))], ['status=ACK']);
    }
    stop();
    const statuses = (await Promise.all(answers)).map((answer) => answer.status);
    assert.equal(statuses.length, 128);
    assert.deepEqual([...new Set(statuses)], [202], 'no answer gets 404');
  }
});

it('row 2: a phone that answers before the push service does is heard too', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone();
  service.world.google.script({ kind: 'hang' }, { delivered: true });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
});

it('rows 3 and 4: the phone that loses its account is told so in the words that its app knows', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const account = newAccount();
  const old = await service.phone({ account, token: 'old:token', name: 'Old phone' });
  const refreshed = await service.phone({ account, token: 'older:token', name: 'Old phone' });
  await service.phone({ account, token: 'new:token', name: 'New phone' });
  await until(() => messagesTo(refreshed).length > 0, 'the phone that lost its account is told');
  assert.deepEqual(messagesTo(refreshed), [
    "An other device has registered for the same account. You won't be reachable on this device",
  ]);
  assert.deepEqual(messagesTo(old), [], 'a fresh token of the same phone is no takeover');
});

it('row 5: a token that Google calls dead ends the call at once and is not pushed again', async (t) => {
  const service = await startTestService(t, {
    settings: {
      APP_PUSH_ROUNDTRIP_WAIT: '60000',
      APP_PUSH_RESEND_INTERVAL: String(Math.ceil(margin(1_500))),
    },
  });
  const phone = await service.phone();
  service.world.google.unregisterDevice(phone.token);
  const answer = await service.ask({ account: phone.account });
  assert.equal(answer.outcome, 'token-gone');
  assert.ok(answer.tookMs < 15_000, `it took ${answer.tookMs} ms`);
  assert.equal(service.world.google.requests.count(), 1);
  await until(
    async () => (await service.ask({ account: phone.account })).outcome === 'no-device',
    'it is removed',
  );
  assert.equal(service.world.google.requests.count(), 1);
});

it('row 6: what Apple refuses ends the call at once; only what it calls dead is removed', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone({ kind: 'ios' });
  const outcome = async () => (await service.ask({ account: phone.account })).outcome;
  const apple = service.world.apple;
  apple.script({ kind: 'answer', status: 400, reason: 'BadDeviceToken' }, { times: 1 });
  assert.equal(await outcome(), 'token-gone');
  apple.script({ kind: 'answer', status: 410, reason: 'Unregistered', timestamp: 1_000 }, { times: 1 });
  assert.equal(await outcome(), 'token-gone');
  assert.equal(await outcome(), 'ready', 'registered since: still there');
  apple.script(
    { kind: 'answer', status: 410, reason: 'Unregistered', timestamp: Date.now() + 60_000 },
    { times: 1 },
  );
  assert.equal(await outcome(), 'token-gone');
  await until(async () => (await outcome()) === 'no-device', 'the dead token is removed');
});

it('row 6: a credential that Apple refuses is a loud error and no silence', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone({ kind: 'ios' });
  service.world.apple.script({ kind: 'answer', status: 403, reason: 'InvalidProviderToken' });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'provider-down');
  const errors = service.logged.filter((line) => line.level === 'error');
  assert.ok(errors.some((line) => line.fields['reason'] === 'InvalidProviderToken'));
});

it('row 7: the state of the call decides, not the time that the app echoes', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  for (const message_start_time of [0, -5, '1.5', 4_102_444_800, Date.now() / 1000 - 3_600]) {
    const unique_key = `old-${message_start_time}`;
    const { answer } = await waitingCall(service, unique_key);
    const told = await respond(service, { unique_key, available: true, message_start_time });
    assert.deepEqual([told.status, (await answer).body], [202, 'status=ACK']);
  }
});

it('row 7: an answer after the NAK is 404, however fresh its time', async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '500', APP_PUSH_RESEND_INTERVAL: '100' },
  });
  const phone = await service.phone({ silent: true });
  const answer = await service.ask({ account: phone.account, callId: 'late' });
  assert.equal(answer.outcome, 'timed-out');
  assert.ok(phone.pushes() >= 2, 'it was pushed again meanwhile');
  const fields = { unique_key: 'late', available: true, message_start_time: Date.now() / 1000 };
  const told = await respond(service, fields);
  assert.deepEqual([told.status, told.body], [404, '""']);
});

it('row 8: the first answer counts, a repeated one is 202 and changes nothing', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  for (const [first, body] of [
    [true, 'status=ACK'],
    [false, 'status=NAK'],
  ] as const) {
    const unique_key = `first-${first}`;
    const { answer } = await waitingCall(service, unique_key);
    const fields = { unique_key, message_start_time: 1 };
    const statuses: number[] = [];
    for (const available of [first, !first, first]) {
      statuses.push((await respond(service, { ...fields, available })).status);
    }
    assert.deepEqual(statuses, [202, 202, 202]);
    assert.equal((await answer).body, body);
    const lines = service.logged.filter(
      (line) => line.level !== 'debug' && line.fields['call'] === unique_key,
    );
    assert.equal(lines.filter((line) => line.message.startsWith('app answered')).length, 1, 'logged once');
  }
  assert.equal(await service.metric('vialer_middleware_answers_total{fate="taken"}'), 2);
  assert.equal(await service.metric('vialer_middleware_answers_total{fate="duplicate"}'), 4);
});

it('row 8: contradicting answers at the same moment: one counts, and the PBX hears that one', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  for (let round = 0; round < 10; round += 1) {
    const unique_key = `both-${round}`;
    const { answer } = await waitingCall(service, unique_key);
    const told = await Promise.all(
      [true, false].map((available) => respond(service, { unique_key, available, message_start_time: 1 })),
    );
    assert.deepEqual(
      told.map((one) => one.status),
      [202, 202],
    );
    const taken = service.logged.find(
      (line) => line.fields['call'] === unique_key && line.fields['fate'] === 'taken',
    );
    assert.equal((await answer).body, taken?.fields['available'] === true ? 'status=ACK' : 'status=NAK');
  }
});

it('row 9: a time that is no finite number is 400 and leaves the call waiting', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const { answer } = await waitingCall(service, 'nan');
  for (const text of ['nan', 'NaN', 'inf', '-Infinity', '1e999', '', '0x10', '1_000']) {
    const typed = asForm({ unique_key: 'nan', available: 'true', message_start_time: text });
    assert.equal((await send(service.url, { path: '/api/call-response/', ...typed })).status, 400, text);
  }
  for (const literal of ['NaN', 'Infinity', '-Infinity', '1e999', 'null', '[1]']) {
    const body = `{"unique_key":"nan","available":true,"message_start_time":${literal}}`;
    const told = await send(service.url, { path: '/api/call-response/', type: 'application/json', body });
    assert.equal(told.status, 400, literal);
  }
  assert.equal(service.running.waiting(), 1);
  await respond(service, { unique_key: 'nan', available: true, message_start_time: 1 });
  assert.equal((await answer).body, 'status=ACK');
});

it('row 19: a push service that breaks off or answers nonsense spoils one call, not the service', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone();
  const { google } = service.world;
  for (const fault of [
    { kind: 'answer', status: 400, body: '<html>no JSON' },
    { kind: 'oversized', status: 500, bytes: 200_000 },
    { kind: 'answer', status: 418, body: '[]' },
  ] as const) {
    google.script(fault);
    const answer = await service.ask({ account: phone.account });
    assert.equal(answer.body, 'status=NAK');
    assert.ok(answer.tookMs < 15_000);
    google.clearFaults();
  }
  google.script({ kind: 'disconnect' }, { times: 1 });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
});
