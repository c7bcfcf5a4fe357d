import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { ring } from '../helpers/answer-push.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService } from '../helpers/test-service.ts';
import { alarmsOf, isRegistered, linesOf, registerWithoutEnvironment } from './registration.ts';
import { appleAnswer as answer, askedOfApple as askedFor } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

const HOUR_MS = 3_600_000;

describe('410: whether the phone is forgotten depends on when its token died', { concurrency: true }, () => {
  for (const reason of ['Unregistered', 'ExpiredToken']) {
    it(`${reason} after the registration: it is`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ kind: 'ios' });
      const timestamp = Date.now() + HOUR_MS;
      service.world.apple.script(answer(410, reason, { timestamp }), { times: 1 });
      assert.equal((await service.ask({ account: phone.account })).outcome, 'token-gone');
      await until(async () => !(await isRegistered(service, phone)), 'it is forgotten');
    });

    it(`${reason} before the registration: it is not`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phone = await service.phone({ kind: 'ios' });
      const timestamp = Date.now() - HOUR_MS;
      service.world.apple.script(answer(410, reason, { timestamp }), { times: 1 });
      assert.equal((await service.ask({ account: phone.account })).outcome, 'token-gone');
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
      assert.ok(
        linesOf(service, 'com.example.phone').some((line) => line.fields['because'] === 'registered-since'),
      );
    });
  }
});

describe('400 BadDeviceToken and DeviceTokenNotForTopic', { concurrency: true }, () => {
  for (const reason of ['BadDeviceToken', 'DeviceTokenNotForTopic']) {
    it(`${reason} of an app that works: the phone is forgotten`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const good = await service.phone({ kind: 'ios', silent: true });
      const bad = await service.phone({ kind: 'ios' });
      await ring(service, good);
      service.world.apple.script(answer(400, reason), { token: bad.token, times: 1 });
      assert.equal((await service.ask({ account: bad.account })).outcome, 'token-gone');
      assert.equal(askedFor(service, bad).length, 1);
      await until(async () => !(await isRegistered(service, bad)), 'it is forgotten');
      assert.ok(await isRegistered(service, good));
    });
  }

  it('many phones and no success: the setup is at fault, nobody is forgotten, one alarm', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    service.world.apple.script(answer(400, 'DeviceTokenNotForTopic'));
    const phones = await Promise.all(Array.from({ length: 24 }, () => service.phone({ kind: 'ios' })));
    for (const { account } of phones) assert.equal((await service.ask({ account })).outcome, 'token-gone');
    for (const phone of phones) assert.ok(await isRegistered(service, phone));
    const alarms = alarmsOf(service, 'com.example.phone');
    assert.equal(alarms.length, 1);
    assert.match(alarms[0]?.message ?? '', /look at the app's setup; no phone was removed/);
  });

  it('the environment is not known: the other one is tried once, and learnt', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const { apple, appleSandbox } = service.world;
    const phone = await service.phone({ kind: 'ios', register: false, sandbox: true });
    await registerWithoutEnvironment(service, phone, 'com.example.phone');
    apple.script(answer(400, 'BadDeviceToken'));
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(apple.requests.count(), 1);
    assert.equal(appleSandbox.requests.count(), 1);
    await until(async () => {
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
      return apple.requests.count() < appleSandbox.requests.count();
    }, 'later calls go to the sandbox at once');
  });

  it('the environment that was learnt holds for the resends of the same call', async (t) => {
    const resendMs = Math.ceil(margin(1_500));
    const settings = {
      APP_PUSH_ROUNDTRIP_WAIT: String(3 * resendMs),
      APP_PUSH_RESEND_INTERVAL: String(resendMs),
    };
    const service = await startTestService(t, { settings });
    const { apple, appleSandbox } = service.world;
    const phone = await service.phone({ kind: 'ios', register: false, sandbox: true, silent: true });
    await registerWithoutEnvironment(service, phone, 'com.example.phone');
    apple.script(answer(400, 'BadDeviceToken'));
    assert.equal((await service.ask({ account: phone.account })).outcome, 'timed-out');
    assert.ok(appleSandbox.requests.count() > 1, 'the phone was pushed again');
    assert.equal(apple.requests.count(), 1);
  });

  it('the environment is not known and neither knows the phone: each is asked once', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const { apple, appleSandbox } = service.world;
    const phone = await service.phone({ kind: 'ios', register: false });
    await registerWithoutEnvironment(service, phone, 'com.example.phone');
    for (const side of [apple, appleSandbox]) side.script(answer(400, 'BadDeviceToken'));
    assert.equal((await service.ask({ account: phone.account })).outcome, 'token-gone');
    assert.equal(apple.requests.count(), 1);
    assert.equal(appleSandbox.requests.count(), 1);
    assert.ok(await isRegistered(service, phone));
  });
});
