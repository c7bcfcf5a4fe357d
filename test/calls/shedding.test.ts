import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { asForm, send } from '../api/http-client.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';

function turnedAway(service: TestService) {
  return service.logged.some(
    ({ message }) => message === 'new calls are turned away: the event loop is late',
  );
}
function takenAgain(service: TestService) {
  return service.logged.some(({ message }) => message === 'new calls are taken again');
}

function burn(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

/** Keeps every turn of the event loop busy for so long, until stopped. */
function overload(t: TestContext, ms: number): () => Promise<void> {
  let stopped = false;
  const burning = (async () => {
    while (!stopped) {
      burn(ms);
      await nextTurn();
    }
  })();
  const stop = () => {
    stopped = true;
    return burning;
  };
  t.after(stop);
  return stop;
}

function incomingCall(service: TestService, account: number) {
  return send(service.url, {
    path: '/api/incoming-call/',
    headers: { 'x-wake-trace': '1' },
    ...asForm({ sip_user_id: String(account), phonenumber: '0612345678' }),
  });
}

describe('while the event loop is late', () => {
  it('new calls hear NAK at once, and everything that is under way goes on', async (t) => {
    const service = await startTestService(t, {
      settings: { EVENT_LOOP_LIMIT: '200', APP_PUSH_ROUNDTRIP_WAIT: '60000' },
    });
    const [phone, cancelled, third] = [
      await service.phone({ silent: true }),
      await service.phone({ silent: true }),
      await service.phone(),
    ];
    const [callId, otherId] = [randomUUID(), randomUUID()];
    const waiting = service.ask({ account: phone.account, callId });
    const waitingToo = service.ask({ account: cancelled.account, callId: otherId });
    await until(() => phone.pushes() === 1 && cancelled.pushes() === 1, 'both phones are pushed');

    const stop = overload(t, 300);
    await until(() => turnedAway(service), 'the service notices');
    // An account that nobody knows: the database would have said no-device, so it was not asked.
    const refused = await incomingCall(service, newAccount());
    assert.deepEqual(
      [refused.status, refused.body, refused.headers['x-wake-outcome'], refused.headers['x-wake-reason']],
      [200, 'status=NAK', 'overloaded', 'event loop delay'],
    );
    assert.equal((await service.ask({ account: third.account })).outcome, 'overloaded');
    assert.equal(third.pushes(), 0);

    const joined = service.ask({ account: phone.account, callId });
    await until(
      () => service.logged.some(({ message }) => message === 'call asked again'),
      'the repeated request joins',
    );
    const word = { unique_key: callId, message_start_time: '1', available: 'true' };
    assert.equal((await send(service.url, { path: '/api/call-response/', ...asForm(word) })).status, 202);
    assert.deepEqual([(await waiting).body, (await joined).body], ['status=ACK', 'status=ACK']);
    assert.equal((await cancelPbxCall({ url: service.url, callId: otherId })).status, 200);
    assert.equal((await waitingToo).outcome, 'cancelled');
    assert.equal((await third.register()).status, 200);
    assert.equal(await service.metric('vialer_middleware_shedding'), 1);
    assert.ok((await service.metric('vialer_middleware_event_loop_delay_seconds')) > 0.1);
    assert.equal(
      await service.metric('vialer_middleware_calls_total{app="none",outcome="overloaded",platform="none"}'),
      2,
    );

    await stop();
    await until(() => takenAgain(service), 'calls are taken again');
    await until(
      async () => (await service.ask({ account: third.account })).outcome === 'ready',
      'a new call rings',
    );
    await until(async () => (await service.metric('vialer_middleware_shedding')) === 0, 'the gauge follows');
  });

  it('one long pause turns no call away, and with EVENT_LOOP_LIMIT=0 nothing does', async (t) => {
    for (const [limit, makeLate] of [
      ['400', async () => burn(2_500)],
      [
        '0',
        async () => {
          for (let turn = 0; turn < 12; turn += 1) {
            burn(100);
            await nextTurn();
          }
        },
      ],
    ] as const) {
      const service = await startTestService(t, { settings: { EVENT_LOOP_LIMIT: limit } });
      const phone = await service.phone();
      const before = service.ask({ account: phone.account, callId: 'before' });
      await makeLate();
      const after = service.ask({ account: phone.account, callId: 'after' });
      await before;
      assert.equal((await after).outcome, 'ready', `limit ${limit}`);
      assert.equal(turnedAway(service), false, `limit ${limit}`);
    }
  });
});

describe('a burst of three times the limit', () => {
  const LIMIT = 20;

  it('of waiting calls: every call above it hears NAK at once, and the others ring', async (t) => {
    const service = await startTestService(t, {
      settings: { MAX_WAITING_CALLS: String(LIMIT), APP_PUSH_ROUNDTRIP_WAIT: '60000' },
    });
    const phones = await Promise.all(
      Array.from({ length: 3 * LIMIT }, () => service.phone({ silent: true })),
    );
    const calls = phones.map((phone) => ({ phone, answer: service.ask({ account: phone.account }) }));
    const outcomes: (string | undefined)[] = [];
    for (const { answer } of calls) void answer.then(({ outcome }) => outcomes.push(outcome));
    // Nobody has answered yet: whoever has heard was turned away, long before the wait is over.
    await until(() => outcomes.length === 2 * LIMIT, 'those above the limit have heard');
    assert.deepEqual(new Set(outcomes), new Set(['overloaded']));
    assert.equal(service.running.waiting(), LIMIT);
    await until(() => phones.filter((phone) => phone.pushes() > 0).length === LIMIT, 'the others are pushed');
    await answerAll(phones);
    const bodies = (await Promise.all(calls.map(({ answer }) => answer))).map(({ body }) => body);
    assert.equal(bodies.filter((body) => body === 'status=ACK').length, LIMIT);
    assert.equal(phones.filter((phone) => phone.pushes() > 0).length, LIMIT);
  });

  for (const kind of ['ios', 'android'] as const) {
    it(`of pushes in flight (${kind}): every call above it hears NAK at once, and no push waits in a queue`, async (t) => {
      const service = await startTestService(t, {
        settings: {
          MAX_PUSHES_IN_FLIGHT: String(LIMIT),
          APP_PUSH_ROUNDTRIP_WAIT: '60000',
          APP_PUSH_RESEND_INTERVAL: '60000',
        },
      });
      const phones = await Promise.all(
        Array.from({ length: 3 * LIMIT }, () => service.phone({ kind, silent: true })),
      );
      const server = kind === 'ios' ? service.world.apple : service.world.google;
      server.script({ kind: 'hang' });
      const outcomes: (string | undefined)[] = [];
      const hangUp = new AbortController();
      const calls = phones.map(({ account }) =>
        service.ask({ account, signal: hangUp.signal }).then(
          ({ outcome }) => outcomes.push(outcome),
          () => {},
        ),
      );
      await until(() => outcomes.length === 2 * LIMIT, 'those above the limit have heard');
      assert.deepEqual(new Set(outcomes), new Set(['push-overloaded']));
      await until(() => server.requests.count() === LIMIT, 'the others are at the push service');
      assert.equal(service.running.waiting(), LIMIT);
      hangUp.abort();
      await Promise.all(calls);
    });
  }
});

/** Every phone that was pushed says that it is ready. */
async function answerAll(phones: readonly Awaited<ReturnType<TestService['phone']>>[]): Promise<void> {
  for (const phone of phones) {
    const pushed = phone.steps.find((step) => step.kind === 'push-received');
    if (pushed !== undefined) assert.equal((await phone.answer(pushed.push)).status, 202);
  }
}
