import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';
import { asForm, send } from './http-client.ts';

it('the reason of a cancel is the X-Wake-Reason of its call, whatever its characters are', async (t) => {
  const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '60000' } });
  const rows = [
    ['answered elsewhere', 'answered elsewhere'],
    ['elders opgenomen: café ☎', 'elders opgenomen: caf? ?'],
    ['on two\r\nX-Lines: yes', 'on two??X-Lines: yes'],
    ['r'.repeat(255), 'r'.repeat(200)],
    ['', undefined],
  ] as const;
  for (const [reason, shown] of rows) {
    const phone = await service.phone({ silent: true });
    const callId = randomUUID();
    const asked = send(service.url, {
      path: '/api/incoming-call/',
      ...asForm({ sip_user_id: String(phone.account), phonenumber: '1', call_id: callId }),
      headers: { 'x-wake-trace': '1' },
    });
    await until(() => service.running.waiting() === 1, 'the call waits');
    const cancelled = await send(service.url, {
      path: '/api/call-cancelled/',
      ...asForm({ call_id: callId, reason }),
    });
    assert.equal(cancelled.status, 200);
    const answer = await asked;
    assert.deepEqual([answer.status, answer.body], [200, 'status=NAK'], reason);
    assert.equal(answer.headers['x-wake-reason'], shown);
    assert.equal(answer.headers['x-lines'], undefined);
  }
});
