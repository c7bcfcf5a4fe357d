import assert from 'node:assert/strict';
import { describe, type TestContext, test } from 'node:test';
import { startTestService } from '../helpers/test-service.ts';
import { appleAnswer as answer, askedOfApple as askedFor } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

test('429 TooManyProviderTokenUpdates: the provider token is kept', async (t) => {
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
  /** Asks until the breaker answers for Apple; tells after how many calls it did. */
  async function callsUntilOpen(t: TestContext, status: number, reason: string): Promise<number> {
    const service = await startTestService(t, { settings: UNHURRIED });
    service.world.apple.script(answer(status, reason));
    for (let calls = 1; calls <= 8; calls += 1) {
      const phone = await service.phone({ kind: 'ios' });
      const { outcome } = await service.ask({ account: phone.account });
      if (outcome === 'provider-down') {
        assert.equal(askedFor(service, phone).length, 0);
        return calls;
      }
      assert.equal(outcome, 'push-failed');
    }
    return Number.POSITIVE_INFINITY;
  }

  for (const [status, reason] of [
    [503, 'ServiceUnavailable'],
    [500, 'InternalServerError'],
    [429, 'TooManyProviderTokenUpdates'],
  ] as const) {
    test(`five calls that end by ${status} ${reason} open it`, async (t) => {
      assert.equal(await callsUntilOpen(t, status, reason), 6);
    });
  }
  for (const [status, reason] of [
    [429, 'TooManyRequests'],
    [400, 'BadPriority'],
  ] as const) {
    test(`${status} ${reason} is one phone's or one message's: it stays closed`, async (t) => {
      assert.equal(await callsUntilOpen(t, status, reason), Number.POSITIVE_INFINITY);
    });
  }
});
