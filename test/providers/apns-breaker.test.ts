import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';
import { appleAnswer as answer, askedOfApple as askedFor } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

it('429 TooManyProviderTokenUpdates: the provider token is kept', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const phone = await service.phone({ kind: 'ios' });
  service.world.apple.script(answer(429, 'TooManyProviderTokenUpdates'), { times: 2 });
  for (const outcome of ['push-failed', 'push-failed', 'ready'])
    assert.equal((await service.ask({ account: phone.account })).outcome, outcome);
  const asked = askedFor(service, phone);
  assert.equal(asked.length, 3);
  assert.equal(new Set(asked.map((request) => request.headers.authorization)).size, 1);
  assert.equal(service.logged.filter((line) => line.message === 'Apple provider token made').length, 1);
});

describe('what answers do to the breaker', { concurrency: true }, () => {
  /** A service whose Apple gives this answer to every push. */
  async function answering(t: TestContext, status: number, reason: string) {
    const service = await startTestService(t, { settings: UNHURRIED });
    service.world.apple.script(answer(status, reason));
    /** Calls a phone that was not called before. */
    return async () => {
      const phone = await service.phone({ kind: 'ios' });
      const { outcome } = await service.ask({ account: phone.account });
      return { outcome, asked: askedFor(service, phone).length };
    };
  }
  const five = (call: () => Promise<unknown>) => Promise.all(Array.from({ length: 5 }, call));

  for (const [status, reason] of [
    [503, 'ServiceUnavailable'],
    [500, 'InternalServerError'],
    [429, 'TooManyProviderTokenUpdates'],
  ] as const) {
    it(`five phones whose pushes end by ${status} ${reason} open it`, async (t) => {
      const call = await answering(t, status, reason);
      await five(call);
      await until(async () => {
        const { outcome, asked } = await call();
        assert.notEqual(outcome, 'ready');
        return outcome === 'provider-down' && asked === 0;
      }, 'callers are told at once');
    });
  }
  for (const [status, reason] of [
    [429, 'TooManyRequests'],
    [400, 'BadPriority'],
  ] as const) {
    it(`${status} ${reason} is one phone's or one message's: it stays closed`, async (t) => {
      const call = await answering(t, status, reason);
      await five(call);
      assert.deepEqual(await call(), { outcome: 'push-failed', asked: 1 });
    });
  }
});
