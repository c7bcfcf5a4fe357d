import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { scriptedCall } from './run-wake-script.ts';

function calls(service: TestService, outcome: string) {
  return service.logged
    .filter((line) => line.fields['outcome'] === outcome)
    .map((line) => line.fields['call']);
}

describe('the script for FreeSWITCH', { skip: skipWithout('Lua') }, () => {
  it('a sleeping phone is woken, and rung once it has registered', async (t) => {
    const service = await startTestService(t);
    const call = await scriptedCall(t, { urls: [service.url] });
    const phone = await service.phone({
      kind: 'ios',
      onStep: (step) => {
        if (step.kind === 'answering') void call.setRegistered(true);
      },
    });
    const done = await call.run(phone.account, {
      number: '+31 (0)20-123;4567',
      name: `50% & "Zoë" + O'Neil`,
    });
    assert.deepEqual(done, [
      'ring_ready ',
      `log notice wake: ${phone.account}: ready`,
      `bridge {leg_timeout=60}user/${phone.account}@sip.example.org`,
    ]);
    const [push] = service.world.apple.received.list();
    assert.equal(push?.payload['unique_key'], call.uuid);
    assert.equal(push?.payload['phonenumber'], '+31020-1234567');
    assert.equal(push?.payload['caller_id'], `50% & "Zoë" + O'Neil`);
  });

  it('a registered phone is rung without a push; one that does not stir is woken', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    const awake = await scriptedCall(t, { urls: [service.url] });
    await awake.setRegistered(true);
    const bridge = `bridge {leg_progress_timeout=5,leg_timeout=60}user/${phone.account}@sip.example.org`;
    assert.deepEqual(await awake.run(phone.account, {}), [bridge]);
    assert.equal(phone.pushes(), 0);
    const dead = await scriptedCall(t, { urls: [service.url] });
    await dead.setRegistered(true);
    await dead.setBridged('PROGRESS_TIMEOUT');
    const done = await dead.run(phone.account, {});
    assert.equal(done[0], bridge);
    assert.equal(done.at(-1), `bridge {leg_timeout=60}user/${phone.account}@sip.example.org`);
    assert.deepEqual(calls(service, 'ready'), [dead.uuid]);
  });

  it('what cannot ring goes where the dialplan says', async (t) => {
    const service = await startTestService(t);
    const busy = await service.phone({ available: false });
    const nobody = newAccount();
    const heard = async (account: number) =>
      (await (await scriptedCall(t, { urls: [service.url] })).run(account, {})).slice(1);
    assert.deepEqual(await heard(busy.account), [
      `log notice wake: ${busy.account}: declined`,
      'transfer unanswered-USER_BUSY XML default',
    ]);
    assert.deepEqual(await heard(nobody), [
      `log notice wake: ${nobody}: no-device`,
      'transfer unanswered-SUBSCRIBER_ABSENT XML default',
    ]);
  });

  it('a caller who hangs up ends the wait', async (t) => {
    const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '10000' } });
    const call = await scriptedCall(t, { urls: [service.url] });
    const phone = await service.phone({
      silent: true,
      onStep: (step) => {
        if (step.kind === 'push-received') void call.hangUp();
      },
    });
    const done = await call.run(phone.account, {});
    assert.deepEqual(done, ['ring_ready ', `log notice wake: ${phone.account}: the caller hung up`]);
    await until(() => calls(service, 'cancelled').length > 0, 'the call is cancelled');
    assert.deepEqual(calls(service, 'cancelled'), [call.uuid]);
  });

  it('the second instance is asked where the first is away, with the token', async (t) => {
    const token = 'a-token-of-some-length';
    const service = await startTestService(t, { settings: { PBX_TOKEN: token } });
    const busy = await service.phone({ available: false });
    const away = `http://127.0.0.1:${await freePort()}`;
    const call = await scriptedCall(t, { urls: [away, service.url], token });
    assert.deepEqual((await call.run(busy.account, {})).slice(1), [
      `log err wake: ${away} was not reached or is not ready: `,
      `log notice wake: ${busy.account}: declined`,
      'transfer unanswered-USER_BUSY XML default',
    ]);
    const refused = await scriptedCall(t, { urls: [service.url], token: 'another-token-of-some' });
    const done = await refused.run(busy.account, {});
    assert.match(done[1] ?? '', /is not ready: Refused: /);
    assert.equal(done.at(-1), 'transfer unanswered-SUBSCRIBER_ABSENT XML default');
  });
});
