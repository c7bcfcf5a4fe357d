import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { startTestService } from '../helpers/test-service.ts';

/** Nobody listens there. */
const NOWHERE = 'redis://127.0.0.1:1';

describe('readiness while Redis does not answer', () => {
  test('an instance that can do without is degraded, and still wakes phones', async (t) => {
    const service = await startTestService(t, { settings: { REDIS_URL: NOWHERE } });
    const readiness = await fetch(`${service.url}/readyz`);
    assert.equal(readiness.status, 200);
    const body = await readiness.text();
    assert.match(body, /"status":"degraded"/);
    assert.match(body, /Redis does not answer/);
    const phone = await service.phone();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(await service.metric('redis_health'), 0);
  });

  test('an instance that requires it is not ready, and refuses calls at once', async (t) => {
    const settings = { REDIS_URL: NOWHERE, REDIS_REQUIRED: 'on' };
    const service = await startTestService(t, { settings });
    const readiness = await fetch(`${service.url}/readyz`);
    assert.equal(readiness.status, 503);
    assert.match(await readiness.text(), /Redis does not answer/);
    const phone = await service.phone();
    const { body, outcome } = await service.ask({ account: phone.account });
    assert.deepEqual([body, outcome], ['status=NAK', 'bus-unavailable']);
  });
});
