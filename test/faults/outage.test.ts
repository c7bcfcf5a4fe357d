import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import type { Fault } from '../../src/sandbox/faults.ts';
import type { PbxAnswer } from '../../src/sandbox/pbx.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { watchForLeftovers } from './nothing-left.ts';
import { APP, KINDS, standIn } from './stand-in.ts';

const OUTAGE: Fault = { kind: 'answer', status: 503, reason: 'UNAVAILABLE' };

function breakerSteps(service: TestService): unknown[] {
  return service.logged.filter((line) => 'state' in line.fields).map((line) => line.fields['state']);
}

function breakerState(service: TestService, kind: (typeof KINDS)[number]): Promise<number> {
  const platform = kind === 'ios' ? 'apns' : 'android';
  const labels = `app="${APP}",platform="${platform}",environment="production"`;
  return service.metric(`vialer_middleware_breaker_state{${labels}}`);
}

/** A service whose push service has failed for five phones, and another phone. */
async function afterOutage(t: TestContext, kind: (typeof KINDS)[number]) {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '5000', APP_PUSH_RESEND_INTERVAL: '5000' },
  });
  const phone = await service.phone({ kind });
  const ask = () => service.ask({ account: phone.account });
  const server = standIn(service, kind);
  const phones = await Promise.all(Array.from({ length: 5 }, () => service.phone({ kind })));
  server.script(OUTAGE);
  const failed = await Promise.all(phones.map(({ account }) => service.ask({ account })));
  for (const { outcome } of failed) assert.equal(outcome, 'provider-down');
  return { service, server, phone, ask };
}

/** Calls until one is not told at once that the push service is down; that one is given as it waits. */
async function firstToBeSent(
  ask: () => Promise<PbxAnswer>,
  isSent: () => boolean,
): Promise<{ readonly call: Promise<PbxAnswer> }> {
  for (;;) {
    let ended: PbxAnswer | undefined;
    const call = ask();
    void call.then((answer) => {
      ended = answer;
    });
    await until(() => ended !== undefined || isSent(), 'the call ends or is sent');
    if (ended === undefined) return { call };
    assert.equal(ended.outcome, 'provider-down');
    assert.ok(!isSent());
  }
}

const nothingLeft = watchForLeftovers();

describe('an outage of one push service', { concurrency: true }, () => {
  for (const kind of KINDS) {
    const name = kind === 'ios' ? 'Apple' : 'Google';
    const other = kind === 'ios' ? 'android' : 'ios';

    it(`${name}: NAK at once while the breaker is open, and the other's calls ring`, async (t: TestContext) => {
      const { service, server, ask } = await afterOutage(t, kind);
      const asked = server.requests.count();
      const { outcome, body } = await ask();
      assert.equal(outcome, 'provider-down');
      assert.equal(body, 'status=NAK');
      assert.equal(server.requests.count(), asked, 'nobody is asked');
      assert.equal(await breakerState(service, kind), 2);
      const well = await service.phone({ kind: other });
      assert.equal((await service.ask({ account: well.account })).outcome, 'ready');
      assert.equal(await breakerState(service, other), 0);
      const alarm = service.logged.find((line) => line.fields['state'] === 'open');
      assert.equal(alarm?.level, 'error');
    });

    it(`${name}: one call is the probe, the others have their NAK meanwhile; its success ends it`, async (t: TestContext) => {
      const { service, server, ask } = await afterOutage(t, kind);
      server.clearFaults();
      server.script({ kind: 'delay', ms: 1_500 }, { times: 1 });
      const before = server.requests.count();
      const probe = await firstToBeSent(ask, () => server.requests.count() > before);
      assert.equal((await ask()).outcome, 'provider-down');
      assert.equal(server.requests.count(), before + 1);
      assert.equal((await probe.call).outcome, 'ready');
      // The phone may be faster than the answer to its push, which is what ends the outage.
      await until(() => breakerSteps(service).includes('closed'), 'the push service works again');
      assert.equal((await ask()).outcome, 'ready');
      assert.deepEqual(breakerSteps(service), ['open', 'half-open', 'closed']);
      assert.equal(await breakerState(service, kind), 0);
    });
  }

  it('a probe that fails: NAK at once goes on, for longer', async (t) => {
    const { service, server, ask } = await afterOutage(t, 'android');
    const before = server.requests.count();
    await until(async () => {
      assert.equal((await ask()).outcome, 'provider-down');
      return server.requests.count() > before;
    }, 'a probe fails');
    assert.equal((await ask()).outcome, 'provider-down');
    assert.equal(server.requests.count(), before + 1);
    assert.deepEqual(breakerSteps(service), ['open', 'half-open', 'open']);
  });

  it('a push service that never answers: calls of the other are as quick as ever', async (t) => {
    const service = await startTestService(t, {
      settings: { APP_PUSH_ROUNDTRIP_WAIT: '3000', APP_PUSH_RESEND_INTERVAL: '3000' },
    });
    const { apple } = service.world;
    apple.script({ kind: 'hang' });
    const lost = await Promise.all(Array.from({ length: 20 }, () => service.phone({ kind: 'ios' })));
    const well = await service.phone();
    const waiting = lost.map(({ account }) => service.ask({ account }));
    await until(() => apple.requests.count() > 0, 'Apple is asked');
    assert.equal((await service.ask({ account: well.account })).outcome, 'ready');
    assert.ok(service.running.waiting() > 0, 'it was answered before the others ended');
    for (const { outcome, tookMs } of await Promise.all(waiting)) {
      assert.equal(outcome, 'push-failed');
      assert.ok(tookMs >= 2_990 && tookMs < 3_000 + margin(1_500), `a NAK came after ${tookMs} ms`);
    }
  });

  for (const kind of KINDS) {
    it(`${kind === 'ios' ? 'Apple' : 'Google'} allows one stream: all of 20 calls at once ring`, async (t: TestContext) => {
      const service = await startTestService(t, {
        settings: { APP_PUSH_ROUNDTRIP_WAIT: '10000', APP_PUSH_RESEND_INTERVAL: '10000' },
      });
      const server = standIn(service, kind);
      server.script({ kind: 'stream-limit', streams: 1 }, { times: 1 });
      const phones = await Promise.all(Array.from({ length: 20 }, () => service.phone({ kind })));
      const calls = phones.map(({ account }) => service.ask({ account }));
      for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'ready');
      assert.ok(phones.every((phone) => phone.pushes() === 1));
      for (const { account } of phones.slice(0, 3))
        assert.equal((await service.ask({ account })).outcome, 'ready');
    });
  }
});

nothingLeft();
