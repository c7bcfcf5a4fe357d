import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { newestPush } from '../helpers/answer-push.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService, type TestPhone } from '../helpers/test-service.ts';

/** What the reference used, and what is used unless set otherwise. */
const USUAL = { settings: { APP_PUSH_ROUNDTRIP_WAIT: '4000', APP_PUSH_RESEND_INTERVAL: '1000' } };

/** Where a machine that stands still for a second must not bring another push. */
const PATIENT = { settings: { APP_PUSH_ROUNDTRIP_WAIT: '12000', APP_PUSH_RESEND_INTERVAL: '3000' } };

function pushedAt(phone: TestPhone): number[] {
  return phone.steps.filter((step) => step.kind === 'push-received').map((step) => step.at);
}

describe('wait 4000, resend 1000', { concurrency: true }, () => {
  it('a silent phone: pushes at 0, 1 and 2 s, NAK at 4 s', async (t) => {
    const service = await startTestService(t, USUAL);
    const phone = await service.phone({ silent: true });
    const askedAt = monotonic();
    const { outcome, body, tookMs } = await service.ask({ account: phone.account });
    const pushes = pushedAt(phone).map((at) => Math.round(at - askedAt));
    t.diagnostic(`pushes at ${pushes.join(', ')} ms, NAK at ${Math.round(tookMs)} ms`);
    assert.equal(body, 'status=NAK');
    assert.equal(outcome, 'timed-out');
    assert.ok(tookMs >= 3_990 && tookMs < 4_000 + margin(1_000), `the NAK came after ${tookMs} ms`);
    assert.equal(pushes.length, 3);
    for (const [n, at] of pushes.entries())
      assert.ok(at >= n * 1_000 - 2 && at < n * 1_000 + margin(900), `push ${n + 1} came at ${at} ms`);
    const attempts = service.world.google.received.list().map((push) => push.payload['attempt']);
    assert.deepEqual(attempts, ['1', '2', '3']);
  });

  it('a silent phone that asked for one push a call gets one', async (t) => {
    const service = await startTestService(t, USUAL);
    const phone = await service.phone({ kind: 'ios', silent: true });
    const { outcome, tookMs } = await service.ask({ account: phone.account });
    assert.equal(outcome, 'timed-out');
    assert.ok(tookMs >= 3_990, `the NAK came after ${tookMs} ms`);
    assert.equal(phone.pushes(), 1);
    assert.equal(service.world.apple.requests.count(), 1);
  });
});

describe('wait 12000, resend 3000', { concurrency: true }, () => {
  it('an answer after the second push: no third one', async (t) => {
    const service = await startTestService(t, PATIENT);
    const phone = await service.phone({ silent: true });
    const asked = service.ask({ account: phone.account });
    await until(() => phone.pushes() === 2, 'the phone is pushed again');
    assert.equal((await phone.answer(newestPush(phone))).status, 202);
    assert.equal((await asked).outcome, 'ready');
    await delay(3_500);
    assert.equal(phone.pushes(), 2);
  });

  it('an answer at 300 ms: the PBX has its ACK at once', async (t) => {
    const service = await startTestService(t, PATIENT);
    const phone = await service.phone({ wakeUpMs: 300 });
    const delays: number[] = [];
    for (let call = 1; call <= 5; call += 1) {
      const before = phone.steps.length;
      const { body, tookMs } = await service.ask({ account: phone.account });
      const endedAt = monotonic();
      assert.equal(body, 'status=ACK');
      assert.ok(tookMs >= 295 && tookMs < 300 + margin(1_000), `the call took ${tookMs} ms`);
      const sent = phone.steps.slice(before).find((step) => step.kind === 'answering');
      delays.push(endedAt - (sent?.at ?? Number.NaN));
    }
    delays.sort((a, b) => a - b);
    t.diagnostic(
      `from the app's word being sent to the ACK: ${delays.map((ms) => ms.toFixed(1)).join(', ')} ms`,
    );
    // A machine under load stretches some of them; a service that polls or waits stretches all.
    assert.ok((delays[1] ?? Number.NaN) < 200, `the ACK came ${delays[1]} ms after the app's word`);
    assert.equal(phone.pushes(), 5);
  });
});
