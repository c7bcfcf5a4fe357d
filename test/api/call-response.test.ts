import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';
import { type Answered, asForm, asJson, asMultipart, send, type TypedBody } from './http-client.ts';

const JSON_TYPE = 'application/json';
const MALFORMED = '{"detail":"Malformed request."}';

function assertJson(answer: Answered, status: number, body: string, what?: string): void {
  assert.deepEqual([answer.status, answer.contentType, answer.body], [status, JSON_TYPE, body], what);
}

it('call-response', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000' } });
  const respond = (typed: TypedBody, path = '/api/call-response/') => send(service.url, { path, ...typed });

  await t.test(
    'an answer in time is 202 "", in each kind of body and under each path that apps use',
    async () => {
      const rows: readonly (readonly [typeof asForm, string])[] = [
        [asForm, '/api/call-response/'],
        [asForm, '/api/call-response/api/call-response/'],
        [asJson, '/api/call-response/'],
        [asMultipart, '/api/call-response'],
      ];
      for (const [write, path] of rows) {
        const phone = await service.phone({ silent: true });
        const waiting = service.ask({ account: phone.account, callId: `call-${phone.account}` });
        await until(() => service.running.waiting() === 1, 'the call waits');
        const fields = { unique_key: `call-${phone.account}`, available: 'true', message_start_time: '1.5' };
        assertJson(await respond(write(fields), path), 202, '""', path);
        assert.equal((await waiting).body, 'status=ACK');
      }
    },
  );

  await t.test(
    'available: each spelling counts as the reference took it, and true is the default',
    async () => {
      const rows: readonly (readonly [TypedBody, string])[] = [
        [asJson({ available: 'True' }), 'ready'],
        [asJson({ available: true }), 'ready'],
        [asJson({ available: 1 }), 'ready'],
        [asJson({ available: 'on' }), 'ready'],
        [asJson({}), 'ready'],
        [asForm({ available: '' }), 'ready'],
        [asForm({}), 'ready'],
        [asJson({ available: 'False' }), 'declined'],
        [asJson({ available: false }), 'declined'],
        [asJson({ available: 0 }), 'declined'],
        [asForm({ available: 'off' }), 'declined'],
      ];
      for (const [typed, outcome] of rows) {
        const phone = await service.phone({ silent: true });
        const callId = `call-${phone.account}`;
        const waiting = service.ask({ account: phone.account, callId });
        await until(() => service.running.waiting() === 1, 'the call waits');
        const rest = { unique_key: callId, message_start_time: '1575000000.1234567' };
        const whole =
          typed.type === JSON_TYPE
            ? asJson({ ...JSON.parse(String(typed.body)), ...rest })
            : asForm({ ...Object.fromEntries(new URLSearchParams(String(typed.body))), ...rest });
        assertJson(await respond(whole), 202, '""');
        assert.equal((await waiting).outcome, outcome, String(typed.body));
      }
    },
  );

  await t.test('nobody waits for the key: 404 "", whoever asks and whatever the Authorization', async () => {
    const typed = asForm({ unique_key: 'unheard-of', message_start_time: '1', available: 'true' });
    for (const headers of [{}, { authorization: 'Basic wrong' }, { authorization: '' }]) {
      assertJson(await send(service.url, { path: '/api/call-response/', ...typed, headers }), 404, '""');
    }
  });

  await t.test('what makes no sense is 400, never 401, and says which field in a header', async () => {
    const good = { unique_key: 'k', message_start_time: 1 };
    const rows: readonly (readonly [unknown, string])[] = [
      [{ message_start_time: 1 }, 'unique_key'],
      [{ ...good, unique_key: null }, 'unique_key'],
      [{ ...good, unique_key: '' }, 'unique_key'],
      [{ ...good, unique_key: ['k'] }, 'unique_key'],
      [{ unique_key: 'k' }, 'message_start_time'],
      [{ ...good, message_start_time: 'soon' }, 'message_start_time'],
      [{ ...good, message_start_time: null }, 'message_start_time'],
      [{ ...good, available: 'Yes' }, 'available'],
      [{ ...good, available: ' true' }, 'available'],
      [{ ...good, available: '' }, 'available'],
      [{ ...good, available: null }, 'available'],
      [{ ...good, available: 2 }, 'available'],
    ];
    for (const [fields, field] of rows) {
      const answer = await respond(asJson(fields));
      assertJson(answer, 400, MALFORMED, JSON.stringify(fields));
      assert.equal(answer.headers['x-invalid-field'], field);
      assert.equal(answer.headers['www-authenticate'], undefined);
    }
    assertJson(await respond({ type: undefined, body: '' }), 400, MALFORMED);
    const unreadable = await respond({ type: JSON_TYPE, body: '{"unique_key":"0612345678",' });
    assert.deepEqual([unreadable.status, unreadable.contentType], [400, JSON_TYPE]);
    assert.match(unreadable.body, /^\{"detail":"JSON parse error - [^"]+"\}$/);
    assert.ok(!unreadable.body.includes('0612345678'), 'the body is not quoted');
  });
});
