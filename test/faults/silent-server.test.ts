import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService, type TestPhone, type TestService } from '../helpers/test-service.ts';
import { watchForLeftovers } from './nothing-left.ts';
import { KINDS, standIn } from './stand-in.ts';

const CALLS = 50;

/** Places one call for each phone at the same moment; every one must end with ACK. Milliseconds to each phone's push. */
async function callAll(
  service: TestService,
  phones: readonly TestPhone[],
  atOnce: () => void,
): Promise<number[]> {
  const askedAt = monotonic();
  const answers = phones.map(({ account }) => service.ask({ account }));
  atOnce();
  for (const { body } of await Promise.all(answers)) assert.equal(body, 'status=ACK');
  return phones.map((phone) => {
    const step = phone.steps.find(({ kind, at }) => kind === 'push-received' && at >= askedAt);
    assert.ok(step, 'the phone was pushed');
    return step.at - askedAt;
  });
}

const nothingLeft = watchForLeftovers();

for (const kind of KINDS) {
  for (const [when, prepare] of [
    ['before 50 calls come', (service: TestService) => standIn(service, kind).silence('healthy')],
    [
      'while 50 calls are in flight',
      // The first request to arrive silences the connection under all the others.
      (service: TestService) =>
        standIn(service, kind).script({ kind: 'mute', fresh: 'healthy' }, { times: 1 }),
    ],
  ] as const) {
    it(`${kind === 'ios' ? 'Apple' : 'Google'} goes silent under a live connection ${when}: no call is lost, none waits longer than a resend`, async (t) => {
      const service = await startTestService(t, {
        settings: { APP_PUSH_ROUNDTRIP_WAIT: '4000', APP_PUSH_RESEND_INTERVAL: '1000' },
      });
      const server = standIn(service, kind);
      const phones = await Promise.all(Array.from({ length: CALLS }, () => service.phone({ kind })));
      const usual = Math.max(...(await callAll(service, phones, () => {})));
      const connections = server.accepted();

      const reached = await callAll(service, phones, () => prepare(service));
      const worst = Math.max(...reached);
      t.diagnostic(
        `the last phone was reached after ${Math.round(worst)} ms, usually ${Math.round(usual)} ms`,
      );
      // A resend interval, beside the time that as many calls take when all is well.
      assert.ok(
        worst - usual < 1_000 + margin(500),
        `a phone was reached after ${worst} ms, usually ${usual} ms`,
      );
      assert.equal(server.accepted() - connections, 1, 'one new connection took over');
      if (kind === 'ios') assert.ok(phones.every((phone) => phone.pushes() <= 4));
      await until(() => service.running.waiting() === 0, 'no call waits');

      await callAll(service, phones.slice(0, 5), () => {});
      assert.equal(server.accepted() - connections, 1, 'the new connection stays');
    });
  }
}

it('a silent server with fresh connections that are silent as well: a later one is found when it heals', async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '8000', APP_PUSH_RESEND_INTERVAL: '8000' },
  });
  const phone = await service.phone({ kind: 'ios' });
  assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  const { apple } = service.world;
  apple.silence('mute');
  const accepted = apple.accepted();
  const waiting = service.ask({ account: phone.account });
  await until(() => apple.accepted() > accepted, 'a fresh connection is tried');
  apple.restore();
  const { outcome, tookMs } = await waiting;
  t.diagnostic(`the call was answered after ${Math.round(tookMs)} ms`);
  assert.equal(outcome, 'ready');
});

nothingLeft();
