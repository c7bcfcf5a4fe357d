import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { startTestService } from '../helpers/test-service.ts';

/** Nobody listens there. */
const NOWHERE = 'redis://127.0.0.1:1';

describe('readiness while Redis cannot be used', () => {
  it('an instance that can do without is degraded, and still wakes phones', async (t) => {
    const service = await startTestService(t, { settings: { REDIS_URL: NOWHERE } });
    const readiness = await fetch(`${service.url}/readyz`);
    assert.equal(readiness.status, 200);
    const body = await readiness.text();
    assert.match(body, /"status":"degraded"/);
    assert.match(body, /Redis cannot be used/);
    const phone = await service.phone();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(await service.metric('redis_health'), 0);
    const cancel = await cancelPbxCall({ url: service.url, callId: 'waits elsewhere, if at all' });
    assert.equal(cancel.status, 503);
    assert.match(cancel.body, /try the next instance/);
  });

  it('an instance that requires it is not ready, and refuses calls at once', async (t) => {
    const settings = { REDIS_URL: NOWHERE, REDIS_REQUIRED: 'on' };
    const service = await startTestService(t, { settings });
    const readiness = await fetch(`${service.url}/readyz`);
    assert.equal(readiness.status, 503);
    assert.match(
      await readiness.text(),
      /Redis cannot be used .*Every call is refused, because REDIS_REQUIRED is on/,
    );
    const phone = await service.phone();
    const { body, outcome } = await service.ask({ account: phone.account });
    assert.deepEqual([body, outcome], ['status=NAK', 'bus-unavailable']);
  });
});

describe('readiness when Redis goes away and comes back', { skip: skipWithout('Redis') }, () => {
  for (const required of ['off', 'on'] as const) {
    it(`is told by itself, and calls go on as they should (REDIS_REQUIRED=${required})`, async (t) => {
      const redis = await startRedis();
      t.after(() => redis.close());
      const settings = { REDIS_URL: redis.url, REDIS_REQUIRED: required };
      const service = await startTestService(t, { settings });
      const phone = await service.phone();
      const readiness = async (): Promise<string> => {
        const answer = await fetch(`${service.url}/readyz`);
        return `${answer.status} ${await answer.text()}`;
      };
      const outcome = async () => (await service.ask({ account: phone.account })).outcome;
      const away =
        required === 'on' ? /^503 .*Redis cannot be used/ : /^200 .*"degraded".*Redis cannot be used/;

      await until(async () => /^200 .*"ready"/.test(await readiness()), 'the service is ready');
      assert.equal(await outcome(), 'ready');
      for (const way of ['killed', 'paused'] as const) {
        if (way === 'killed') await redis.kill();
        else await redis.pause();
        await until(async () => away.test(await readiness()), `Redis that was ${way} is missed`);
        assert.equal(await outcome(), required === 'on' ? 'bus-unavailable' : 'ready');
        if (way === 'killed') await redis.start();
        else redis.resume();
        await until(async () => /^200 .*"ready"/.test(await readiness()), 'the service is ready again');
        assert.equal(await outcome(), 'ready');
      }
    });
  }
});
