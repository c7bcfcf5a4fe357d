import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { ring } from '../helpers/answer-push.ts';
import { startTestService } from '../helpers/test-service.ts';
import { alarmsOf, isRegistered } from './registration.ts';
import { googleAnswer as answer, askedOfGoogle as askedFor } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

describe('503 UNAVAILABLE with Retry-After', { concurrency: true }, () => {
  const httpDate = (inMs: number): string => new Date(Date.now() + inMs).toUTCString();
  for (const [form, fits, doesNot] of [
    ['seconds', () => '1', () => '10'],
    ['an HTTP date', () => httpDate(2_000), () => httpDate(15_000)],
  ] as const) {
    it(`in ${form} that fits into the call: then, and not before`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone();
      const fault = answer(503, 'UNAVAILABLE', { retryAfter: fits() });
      service.world.google.script(fault, { times: 1 });
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
      const [first, second] = askedFor(service, phone);
      // A date has whole seconds, and some of its time has passed when it is read.
      assert.ok((second?.at ?? 0) - (first?.at ?? 0) >= (form === 'seconds' ? 990 : 300));
    });

    it(`in ${form} that does not fit: NAK at once`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone();
      service.world.google.script(answer(503, 'UNAVAILABLE', { retryAfter: doesNot() }));
      const { outcome, tookMs } = await service.ask({ account: phone.account });
      assert.equal(outcome, 'push-failed');
      assert.ok(tookMs < 9_000, `the PBX was kept waiting for ${tookMs} ms`);
      assert.equal(askedFor(service, phone).length, 1);
    });
  }
});

describe('tokens that do not fit: INVALID_ARGUMENT and SENDER_ID_MISMATCH', { concurrency: true }, () => {
  for (const [status, reason] of [
    [400, 'INVALID_ARGUMENT'],
    [403, 'SENDER_ID_MISMATCH'],
  ] as const) {
    it(`${reason} of an app that works: the phone is forgotten`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const [good, bad] = [await service.phone({ silent: true }), await service.phone()];
      await ring(service, good);
      service.world.google.script(answer(status, reason), { token: bad.token, times: 1 });
      assert.equal((await service.ask({ account: bad.account })).outcome, 'token-gone');
      await until(async () => !(await isRegistered(service, bad)), 'it is forgotten');
      assert.ok(await isRegistered(service, good));
    });
  }

  it('many phones and no success: nobody is forgotten, one alarm', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    service.world.google.script(answer(403, 'SENDER_ID_MISMATCH'));
    const phones = await Promise.all(Array.from({ length: 24 }, () => service.phone()));
    for (const { account } of phones) assert.equal((await service.ask({ account })).outcome, 'token-gone');
    for (const phone of phones) assert.ok(await isRegistered(service, phone));
    const alarms = alarmsOf(service, 'com.example.phone');
    assert.equal(alarms.length, 1);
    assert.match(alarms[0]?.message ?? '', /look at the app's setup; no phone was removed/);
  });
});

it('five phones over the quota: Google is left in peace', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  service.world.google.script(answer(429, 'QUOTA_EXCEEDED'), { times: 5 });
  const outcomes: (string | undefined)[] = [];
  for (let call = 1; call <= 7; call += 1)
    outcomes.push((await service.ask({ account: (await service.phone()).account })).outcome);
  assert.deepEqual(outcomes, [...Array(5).fill('push-failed'), 'provider-down', 'provider-down']);
  assert.equal(service.world.google.requests.count(), 5);
});

it('one phone over its own quota, call after call: the others ring', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const [busy, other] = [await service.phone(), await service.phone()];
  service.world.google.script(answer(429, 'QUOTA_EXCEEDED'), { token: busy.token });
  for (let call = 1; call <= 12; call += 1)
    assert.equal((await service.ask({ account: busy.account })).outcome, 'push-failed');
  assert.equal((await service.ask({ account: other.account })).outcome, 'ready');
});
