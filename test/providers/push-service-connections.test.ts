import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { PbxAnswer } from '../../src/sandbox/pbx.ts';
import type { World } from '../../src/sandbox/world.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { frame, SETTINGS, SETTINGS_ACK, startRawServer } from '../push/helpers/raw-server.ts';
import { startRelay } from '../push/helpers/relay.ts';

const FOUR_SECONDS = { APP_PUSH_ROUNDTRIP_WAIT: '4000', APP_PUSH_RESEND_INTERVAL: '4000' };

/** Settings that lead to Apple and Google over a network that needs 300 ms each way. */
async function farAway(t: TestContext, { apple, google }: World): Promise<Record<string, string>> {
  const through = async (origin: string): Promise<string> => {
    const relay = await startRelay(Number(new URL(origin).port), 300);
    t.after(() => relay.close());
    return relay.origin;
  };
  return { APNS_URL: await through(apple.origin), FCM_URL: await through(google.origin) };
}

/** Calls phones in turn, `perSecond`. */
async function callSteadily(
  service: TestService,
  accounts: readonly number[],
  count: number,
  perSecond: number,
): Promise<PbxAnswer[]> {
  const calls: Promise<PbxAnswer>[] = [];
  const started = performance.now();
  for (let i = 0; i < count; i += 1) {
    await delay(Math.max(0, started + (i * 1000) / perSecond - performance.now()));
    calls.push(service.ask({ account: accounts[i % accounts.length] ?? 0, callId: `call-${i}` }));
  }
  return Promise.all(calls);
}

function outcomes(answers: readonly PbxAnswer[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { outcome = 'none' } of answers) counts[outcome] = (counts[outcome] ?? 0) + 1;
  return counts;
}

it('with a round trip of 600 ms calls ring, the first one included', async (t) => {
  const service = await startTestService(t, {
    settings: FOUR_SECONDS,
    between: (world) => farAway(t, world),
  });
  for (const kind of ['ios', 'android'] as const) {
    const phone = await service.phone({ kind });
    for (let call = 0; call < 2; call += 1)
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(phone.pushes(), 2);
  }
});

it('with 8 streams, answers after 600 ms and 40 calls a second none is lost', async (t) => {
  const service = await startTestService(t, {
    settings: FOUR_SECONDS,
    world: { apple: { streams: 8 } },
  });
  service.world.apple.script({ kind: 'delay', ms: 600 });
  const phones = await Promise.all(Array.from({ length: 10 }, () => service.phone({ kind: 'ios' })));
  const answers = await callSteadily(
    service,
    phones.map(({ account }) => account),
    120,
    40,
  );
  assert.deepEqual(outcomes(answers), { ready: 120 });
  const open = await service.metric(
    `vialer_middleware_channel_connections{origin="${service.world.apple.origin}"}`,
  );
  assert.ok(open >= 3 && open <= 8, `${open} connections`);
});

it('where nothing listens each of the first calls hears provider-down within a second', async (t) => {
  const gone = await startRelay(1);
  await gone.close();
  const service = await startTestService(t, {
    settings: { ...FOUR_SECONDS, APNS_URL: gone.origin },
  });
  for (let call = 0; call < 3; call += 1) {
    const phone = await service.phone({ kind: 'ios' });
    const started = performance.now();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'provider-down');
    assert.ok(performance.now() - started < 2_000);
  }
  assert.ok(service.logged.some(({ fields }) => fields['reason'] === 'connection-refused'));
});

it("a GOAWAY with Apple's reason ends the call at once, and log and metric name it", async (t) => {
  const reason = 'BadCertificateEnvironment';
  const service = await startTestService(t, {
    settings: FOUR_SECONDS,
    between: async ({ ca }) => {
      const { certificate: cert, privateKey: key } = ca.issueServer();
      const bye = Buffer.concat([Buffer.alloc(8), Buffer.from(JSON.stringify({ reason }))]);
      const server = await startRawServer({ cert, key }, ['h2'], (socket) => {
        socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK, frame(7, 0, 0, bye)]));
      });
      t.after(() => server.close());
      return { APNS_URL: server.origin };
    },
  });
  const phone = await service.phone({ kind: 'ios' });
  const started = performance.now();
  assert.equal((await service.ask({ account: phone.account })).outcome, 'provider-down');
  assert.ok(performance.now() - started < 2_000);
  assert.ok(service.logged.some(({ fields }) => fields['reason'] === reason));
  const pushes = 'vialer_middleware_pushes_total{app="com.example.phone",provider="apns"';
  assert.equal(await service.metric(`${pushes},reason="${reason}"}`), 1);
});
