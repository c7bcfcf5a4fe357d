import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { answerAccepted } from '../helpers/answer-push.ts';
import { newAccount, startTestService } from '../helpers/test-service.ts';
import { type Answered, asForm, asJson, asMultipart, send, type TypedBody } from './http-client.ts';

const TEXT = 'text/plain; charset=utf-8';
const PATH = '/api/incoming-call/';

function assertText(answer: Answered, status: number, body: string, what?: string): void {
  assert.deepEqual([answer.status, answer.contentType, answer.body], [status, TEXT, body], what);
}

it('incoming-call', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  const ask = (
    typed: TypedBody,
    more: { method?: string; path?: string; headers?: Record<string, string> } = {},
  ) => send(service.url, { path: PATH, ...typed, ...more });

  await t.test('ACK and NAK are ten bytes of text without a newline', async () => {
    const phone = await service.phone();
    const ready = await ask(asForm({ sip_user_id: String(phone.account), phonenumber: '0201234567' }));
    assertText(ready, 200, 'status=ACK');
    assert.equal(ready.headers['x-wake-outcome'], 'ready');
    assert.equal(ready.headers['content-length'], '10');
    assert.equal(ready.headers.allow, undefined);
    const nobody = await ask(asForm({ sip_user_id: String(newAccount()), phonenumber: '0201234567' }));
    assertText(nobody, 200, 'status=NAK');
    assert.equal(nobody.headers['x-wake-outcome'], 'no-device');
  });

  await t.test('a form, JSON and multipart mean the same', async () => {
    for (const write of [asForm, asJson, asMultipart]) {
      const phone = await service.phone();
      const fields = {
        sip_user_id: String(phone.account),
        phonenumber: ' +31 (0)20-1234567 ',
        caller_id: 'Zoë & Co = 100%',
        call_id: randomUUID(),
      };
      assertText(await ask(write(fields)), 200, 'status=ACK', write.name);
      const push = phone.steps.find((step) => step.kind === 'push-received');
      assert.ok(push?.kind === 'push-received');
      assert.equal(push.push.payload['phonenumber'], '+31 (0)20-1234567');
      assert.equal(push.push.payload['caller_id'], 'Zoë & Co = 100%');
      assert.equal(push.push.payload['unique_key'], fields.call_id);
    }
  });

  await t.test('a call without call_id gets a key of 32 lower-case hex digits', async () => {
    for (const more of [{}, { call_id: '' }, { call_id: '  ' }]) {
      const phone = await service.phone();
      await ask(asJson({ sip_user_id: phone.account, phonenumber: '1', ...more }));
      const push = phone.steps.find((step) => step.kind === 'push-received');
      assert.ok(push?.kind === 'push-received');
      assert.match(String(push.push.payload['unique_key']), /^[0-9a-f]{32}$/);
      assert.equal(push.push.payload['caller_id'], '');
    }
  });

  await t.test('every spelling of an account that the reference took finds the phone', async () => {
    const phone = await service.phone();
    const digits = String(phone.account);
    const spellings: readonly unknown[] = [
      phone.account,
      digits,
      ` ${digits} `,
      `0${digits}`,
      `+${digits}`,
      `${digits}.00 `,
    ];
    for (const spelling of spellings) {
      const answer = await ask(asJson({ sip_user_id: spelling, phonenumber: '0201234567' }));
      assertText(answer, 200, 'status=ACK', JSON.stringify(spelling));
    }
    const exponent = `{"sip_user_id":${digits[0]}.${digits.slice(1)}e8,"phonenumber":"1"}`;
    assertText(await ask({ type: 'application/json', body: exponent }), 200, 'status=ACK');
    const plus = await ask({
      type: 'application/x-www-form-urlencoded',
      body: `sip_user_id=+${digits}&phonenumber=+31201234567`,
    });
    assertText(plus, 200, 'status=ACK', 'an unencoded plus sign is a space, and is trimmed');
  });

  await t.test('a field that makes no sense is 400 and names the field', async () => {
    const good = { sip_user_id: '123456789', phonenumber: '0201234567' };
    const rows: readonly (readonly [unknown, string, string])[] = [
      [{ phonenumber: '1' }, 'sip_user_id', 'sip_user_id is required.'],
      [{ ...good, sip_user_id: null }, 'sip_user_id', 'sip_user_id must not be null.'],
      [
        { ...good, sip_user_id: true },
        'sip_user_id',
        'sip_user_id must be a whole number from 100000000 to 999999999.',
      ],
      [
        { ...good, sip_user_id: '1.2e8' },
        'sip_user_id',
        'sip_user_id must be a whole number from 100000000 to 999999999.',
      ],
      [
        { ...good, sip_user_id: 99_999_999 },
        'sip_user_id',
        'sip_user_id must be a whole number from 100000000 to 999999999.',
      ],
    ];
    for (const [fields, field, sentence] of rows) {
      const answer = await ask(asJson(fields));
      assertText(answer, 400, sentence, JSON.stringify(fields));
      assert.equal(answer.headers['x-invalid-field'], field);
      assert.equal(answer.headers['x-wake-outcome'], undefined);
    }
  });

  await t.test('a body that cannot be read is 400 or 415, in words', async () => {
    const broken = await ask({ type: 'application/json', body: '{"sip_user_id":' });
    assert.deepEqual([broken.status, broken.contentType], [400, TEXT]);
    assert.match(broken.body, /^JSON parse error - /);
    assert.equal(broken.headers['x-invalid-field'], 'body');
    assertText(await ask({ type: 'application/json', body: '[]' }), 400, 'Malformed request.');
    for (const type of ['text/plain', 'text/html; charset=utf-8', 'nonsense', undefined]) {
      const answer = await ask({ type, body: 'sip_user_id=123456789&phonenumber=1' });
      assert.deepEqual([answer.status, answer.contentType], [415, TEXT], type);
      assert.match(answer.body, /^Unsupported media type: send application\/x-www-form-urlencoded/);
    }
    assertText(await ask({ type: undefined, body: '' }), 400, 'sip_user_id is required.');
    assertText(await ask({ type: 'nonsense', body: '' }), 400, 'sip_user_id is required.');
  });

  await t.test('what comes first: 413, then 405, 415, 400', async () => {
    const huge = 'x'.repeat(65_537);
    assert.equal((await ask({ type: 'text/plain', body: huge }, { method: 'PUT' })).status, 413);
    assert.equal((await ask({ type: 'text/plain', body: 'x' }, { method: 'PUT' })).status, 405);
    assert.equal((await ask({ type: 'text/plain', body: '{' })).status, 415);
    assert.equal((await ask({ type: 'application/json', body: '{' })).status, 400);
  });

  await t.test('any other method is 405 with Allow, as text', async () => {
    for (const path of [PATH, '/api/incoming-call', '/api/incoming-call/x', '/api/call-cancelled/']) {
      for (const method of ['GET', 'HEAD', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']) {
        const answer = await send(service.url, { method, path });
        assert.equal(answer.status, 405, `${method} ${path}`);
        assert.equal(answer.contentType, TEXT);
        assert.equal(answer.headers.allow, 'POST');
        assert.equal(answer.body, method === 'HEAD' ? '' : 'Method not allowed: use POST.');
      }
    }
  });

  await t.test('the Accept header and the query string do not matter', async () => {
    const account = String(newAccount());
    for (const accept of ['application/json', 'text/html', 'image/png', '']) {
      const answer = await ask(asForm({ sip_user_id: account, phonenumber: '1' }), { headers: { accept } });
      assertText(answer, 200, 'status=NAK', accept);
    }
    const query = await ask(
      { type: undefined, body: '' },
      { path: `${PATH}?sip_user_id=${account}&phonenumber=1` },
    );
    assert.equal(query.status, 400);
  });

  await t.test('served without its slash and with anything behind it', async () => {
    const typed = asForm({ sip_user_id: String(newAccount()), phonenumber: '1' });
    for (const path of ['/api/incoming-call', '/api/incoming-call/', '/api/incoming-call/a/b?c=d']) {
      assertText(await ask(typed, { path }), 200, 'status=NAK', path);
    }
  });

  await t.test(
    'outcome_in_body puts the outcome behind the word, for a PBX that reads no headers',
    async () => {
      const phone = await service.phone();
      const fields = { sip_user_id: String(phone.account), phonenumber: '1', outcome_in_body: 'true' };
      for (const write of [asForm, asJson, asMultipart]) {
        const ready = await ask(write(fields));
        assertText(ready, 200, 'status=ACK&outcome=ready', write.name);
        assert.equal(ready.headers['x-wake-outcome'], 'ready');
      }
      const nobody = await ask(asForm({ ...fields, sip_user_id: String(newAccount()) }));
      assertText(nobody, 200, 'status=NAK&outcome=no-device');
      for (const no of ['false', '']) {
        assertText(await ask(asForm({ ...fields, outcome_in_body: no })), 200, 'status=ACK');
      }
      assertText(await ask(asForm({ ...fields, outcome_in_body: 'maybe' })), 200, 'status=ACK');
      for (const nonsense of [null, '', 2, [], {}])
        assertText(await ask(asJson({ ...fields, outcome_in_body: nonsense })), 200, 'status=ACK');
    },
  );

  await t.test('X-Wake-Trace tells the steps and the reason', async () => {
    const phone = await service.phone({ silent: true });
    const headers = { 'x-wake-trace': '1' };
    const asked = ask(asForm({ sip_user_id: String(phone.account), phonenumber: '1' }), { headers });
    await answerAccepted(service, phone);
    const ready = await asked;
    assert.match(String(ready.headers['server-timing']), /^push;dur=\d+\.\d, answer;dur=\d+\.\d$/);
    assert.equal(ready.headers['x-wake-reason'], undefined);
    service.world.google.unregisterDevice(phone.token);
    const gone = await ask(asForm({ sip_user_id: String(phone.account), phonenumber: '1' }), { headers });
    assertText(gone, 200, 'status=NAK');
    assert.equal(gone.headers['x-wake-reason'], 'UNREGISTERED');
    assert.equal(gone.headers['server-timing'], undefined);
    const untold = await ask(asForm({ sip_user_id: String(phone.account), phonenumber: '1' }));
    assert.equal(untold.headers['server-timing'], undefined);
  });

  await t.test('X-Wake-Trace has no push where the phone is faster than the answer to the push', async () => {
    const phone = await service.phone();
    service.world.google.script({ kind: 'hang' }, { token: phone.token, delivered: true });
    const typed = asForm({ sip_user_id: String(phone.account), phonenumber: '1' });
    const ready = await ask(typed, { headers: { 'x-wake-trace': '1' } });
    assertText(ready, 200, 'status=ACK');
    assert.match(String(ready.headers['server-timing']), /^answer;dur=\d+\.\d$/);
  });
});

it('call-cancelled', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '60000' } });
  const cancel = (typed: TypedBody) => send(service.url, { path: '/api/call-cancelled/', ...typed });

  await t.test('ends the wait, in each kind of body', async () => {
    for (const write of [asForm, asJson, asMultipart]) {
      const phone = await service.phone({ silent: true });
      const callId = randomUUID();
      const waiting = service.ask({ account: phone.account, callId });
      await until(() => service.running.waiting() === 1, 'the call waits');
      assertText(
        await cancel(write({ call_id: callId, reason: 'elsewhere' })),
        200,
        'status=CANCELLED',
        write.name,
      );
      assert.equal((await waiting).outcome, 'cancelled');
      assertText(await cancel(write({ call_id: callId })), 404, 'No call with this call_id is waiting.');
    }
  });

  await t.test('errors are those of the incoming call', async () => {
    assertText(await cancel(asJson({})), 400, 'call_id is required.');
    assertText(await cancel(asJson({ call_id: ' ' })), 400, 'call_id must not be blank.');
    const gone = 'No call with this call_id is waiting.';
    assertText(await cancel(asJson({ call_id: 'x', reason: null })), 404, gone, 'a reason is never wrong');
    assertText(await cancel(asJson({ call_id: 'x', reason: 'r'.repeat(300) })), 404, gone);
    assert.equal((await cancel({ type: 'text/plain', body: 'x' })).status, 415);
  });
});
