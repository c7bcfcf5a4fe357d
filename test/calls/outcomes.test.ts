import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { DatabaseSync } from 'node:sqlite';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { newAccount, startTestService } from '../helpers/test-service.ts';

describe('every way a call can end', () => {
  it('ready: the phone answers that it can take the call', async (t) => {
    const service = await startTestService(t);
    for (const kind of ['ios', 'android'] as const) {
      const phone = await service.phone({ kind });
      const answer = await service.ask({ account: phone.account });
      assert.equal(answer.body, 'status=ACK');
      assert.equal(answer.outcome, 'ready');
      assert.equal(answer.status, 200);
      assert.equal(answer.contentType, 'text/plain; charset=utf-8');
      await until(
        () => phone.steps.some((step) => step.kind === 'answered' && step.status === 202),
        'the app is told 202',
      );
    }
  });

  it('declined: the phone answers that it cannot', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone({ available: false });
    const answer = await service.ask({ account: phone.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'declined');
  });

  it('timed-out: the phone was pushed and says nothing', async (t) => {
    const service = await startTestService(t, { settings: { APP_PUSH_ROUNDTRIP_WAIT: '600' } });
    const phone = await service.phone({ silent: true });
    const answer = await service.ask({ account: phone.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'timed-out');
    assert.ok(answer.tookMs >= 595, `the wait ended after ${answer.tookMs} ms`);
  });

  it('no-device: nobody registered for the account', async (t) => {
    const service = await startTestService(t);
    const answer = await service.ask({ account: newAccount() });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'no-device');
  });

  it('token-gone: the push service says that the token is dead, and the phone is forgotten', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    service.world.google.unregisterDevice(phone.token);
    const answer = await service.ask({ account: phone.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'token-gone');
    assert.equal(service.world.google.requests.count(), 1);
    await until(
      async () => (await service.ask({ account: phone.account })).outcome === 'no-device',
      'the phone is gone',
    );
  });

  it('push-failed: the push service refuses the push and a second try', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    service.world.google.script({ kind: 'answer', status: 500, reason: 'INTERNAL' });
    const answer = await service.ask({ account: phone.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'push-failed');
    assert.equal(service.world.google.requests.count(), 2);
  });

  it('provider-down: after a refused credential calls are not kept waiting', async (t) => {
    const service = await startTestService(t);
    service.world.apple.script({ kind: 'answer', status: 403, reason: 'InvalidProviderToken' });
    for (const _ of [1, 2, 3, 4]) {
      const phone = await service.phone({ kind: 'ios' });
      const answer = await service.ask({ account: phone.account });
      assert.equal(answer.body, 'status=NAK');
      assert.equal(answer.outcome, 'provider-down');
    }
    assert.equal(service.world.apple.requests.count(), 6, 'three phones, twice each');
  });

  it('push-overloaded: the bound on pushes in flight is reached', async (t) => {
    const service = await startTestService(t, { settings: { MAX_PUSHES_IN_FLIGHT: '1' } });
    const [first, second] = [await service.phone(), await service.phone()];
    service.world.google.script({ kind: 'hang' }, { token: first.token, times: 1 });
    const waiting = service.ask({ account: first.account });
    await until(() => service.world.google.requests.count() === 1, 'the first push is in flight');
    const answer = await service.ask({ account: second.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'push-overloaded');
    await waiting;
  });

  it('overloaded: the bound on waiting calls is reached', async (t) => {
    const service = await startTestService(t, { settings: { MAX_WAITING_CALLS: '1' } });
    const [first, second] = [await service.phone({ silent: true }), await service.phone()];
    const waiting = service.ask({ account: first.account });
    await until(() => service.running.waiting() === 1, 'the first call waits');
    const answer = await service.ask({ account: second.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'overloaded');
    assert.equal(second.pushes(), 0);
    await waiting;
  });

  it('cancelled: the PBX gives the call up', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone({ silent: true });
    const callId = randomUUID();
    const waiting = service.ask({ account: phone.account, callId });
    await until(() => phone.pushes() === 1, 'the phone is pushed');
    const cancelled = await cancelPbxCall({ url: service.url, callId, reason: 'answered elsewhere' });
    assert.equal(cancelled.status, 200);
    const answer = await waiting;
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'cancelled');
    assert.equal((await cancelPbxCall({ url: service.url, callId })).status, 404);
  });

  it('caller-gone: the PBX hangs up, and nothing is pushed any more', async (t) => {
    const service = await startTestService(t, {
      settings: { APP_PUSH_ROUNDTRIP_WAIT: '60000', APP_PUSH_RESEND_INTERVAL: '100' },
    });
    const phone = await service.phone({ silent: true });
    const hangUp = new AbortController();
    const waiting = service.ask({ account: phone.account, signal: hangUp.signal });
    await until(() => phone.pushes() >= 2, 'the phone is pushed again');
    hangUp.abort();
    await assert.rejects(waiting);
    await until(() => service.running.waiting() === 0, 'the waiting place is free');
    const ended = service.logged.find((line) => line.fields['outcome'] === 'caller-gone');
    assert.equal(ended?.message, 'call ended: caller-gone');
    assert.equal(
      await service.metric(
        'vialer_middleware_calls_total{app="com.example.phone",outcome="caller-gone",platform="android"}',
      ),
      1,
    );
  });

  it('shutting-down: what still waits at the end of the grace gets its NAK', async (t) => {
    const service = await startTestService(t, {
      settings: { APP_PUSH_ROUNDTRIP_WAIT: '60000', SHUTDOWN_GRACE: '50' },
    });
    const phone = await service.phone({ silent: true });
    const waiting = service.ask({ account: phone.account });
    await until(() => phone.pushes() === 1, 'the phone is pushed');
    await service.running.stop();
    const answer = await waiting;
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'shutting-down');
  });

  it('storage-unavailable: the database cannot be asked', async (t) => {
    const service = await startTestService(t);
    const phone = await service.phone();
    const other = new DatabaseSync(service.databaseUrl.slice('sqlite:'.length));
    other.exec('drop table devices');
    other.close();
    const answer = await service.ask({ account: phone.account });
    assert.equal(answer.body, 'status=NAK');
    assert.equal(answer.outcome, 'storage-unavailable');
  });
});
