import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { KINDS, standIn } from '../faults/stand-in.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { addGoogleApps } from './own-apps.ts';
import { linesOf } from './registration.ts';
import { appleAnswer, googleAnswer } from './scripted-answers.ts';
import { UNHURRIED } from './unhurried.ts';

/** What the breaker of an app did: the state and what brought it about. */
function breakerSteps(service: TestService, app = 'com.example.phone'): string[] {
  return linesOf(service, app)
    .filter((line) => 'state' in line.fields)
    .map((line) => `${line.fields['state']}: ${line.fields['reason']}`);
}

/** Calls, one after the other, until one rings; tells how long that took. */
async function untilRinging(service: TestService, account: number): Promise<number> {
  const since = monotonic();
  await until(async () => (await service.ask({ account })).outcome === 'ready', 'a call rings');
  return monotonic() - since;
}

/** For calls that end by their deadline: just long enough to say something about the push service. */
const HURRIED = { APP_PUSH_ROUNDTRIP_WAIT: '1200', APP_PUSH_RESEND_INTERVAL: '1200' };

/** Longest time from the end of an outage to a call that rings; the breaker's own waits are 2 s at most. */
const SOON_MS = 4_000;

describe('calls ring again as soon as the push service does', { concurrency: true }, () => {
  for (const [name, answer] of [
    ['503', { kind: 'answer', status: 503, body: '' }],
    ['503 with Retry-After', { kind: 'answer', status: 503, headers: { 'retry-after': '60' } }],
    ['nothing', { kind: 'hang' }],
  ] as const)
    it(`Google's token endpoint answered ${name} for a while`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: answer.kind === 'hang' ? HURRIED : UNHURRIED });
      const { google } = service.world;
      await until(() => google.tokensIssued() === 1, "the other app's token is there");
      google.scriptToken(answer);
      const [app = ''] = await addGoogleApps(service, { count: 1 });
      const phone = await service.phone({ app });
      await until(async () => {
        const asked = Array.from({ length: 5 }, () => service.ask({ account: phone.account }));
        await Promise.all(asked);
        return breakerSteps(service, app).filter((step) => step.startsWith('open')).length >= 2;
      }, 'the outage has lasted for some cool-downs');
      google.clearFaults();
      const tookMs = await untilRinging(service, phone.account);
      assert.ok(tookMs < SOON_MS, `a call rang after ${tookMs} ms`);
    });

  it('a fetched token half-opens the breaker, whether a call comes or not', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const { google } = service.world;
    await until(() => google.tokensIssued() === 1, "the other app's token is there");
    google.scriptToken({ kind: 'answer', status: 400, body: '{"error":"invalid_grant"}' });
    const [app = ''] = await addGoogleApps(service, { count: 1 });
    const phone = await service.phone({ app });
    await until(() => google.sessions() === 2, 'its connection stands');
    assert.equal((await service.ask({ account: phone.account })).outcome, 'provider-down');
    google.clearFaults();
    await until(() => breakerSteps(service, app).length === 2, 'the token is fetched');
    assert.deepEqual(breakerSteps(service, app), ['open: oauth-invalid-grant', 'half-open: token-fetched']);
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  });

  for (const [kind, name, fault, count = 20] of [
    ['ios', '503', appleAnswer(503, 'ServiceUnavailable')],
    ['android', '503', googleAnswer(503, 'UNAVAILABLE')],
    ['android', 'resets of streams', { kind: 'reset', code: 2 }],
    ['ios', 'resets of connections', { kind: 'disconnect' }, 1],
  ] as const)
    it(`${kind}: a blip of ${name}: every call of it rings`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const server = standIn(service, kind);
      const phones = await Promise.all(Array.from({ length: count + 1 }, () => service.phone({ kind })));
      const ask = ({ account }: { readonly account: number }) => service.ask({ account });
      const [late, ...early] = phones;
      assert.ok(late);
      server.script(fault);
      const calls = early.map(ask);
      await delay(400);
      calls.push(ask(late));
      await delay(400);
      server.clearFaults();
      for (const { outcome } of await Promise.all(calls)) assert.equal(outcome, 'ready');
      assert.deepEqual(breakerSteps(service), []);
    });

  for (const kind of KINDS) {
    it(`${kind}: a connection that is made again half-opens the breaker of every app that uses it`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const server = standIn(service, kind);
      const [phone, ...others] = await Promise.all(Array.from({ length: 6 }, () => service.phone({ kind })));
      assert.ok(phone);
      const answer = kind === 'ios' ? appleAnswer : googleAnswer;
      server.script(answer(503, kind === 'ios' ? 'Shutdown' : 'UNAVAILABLE', { retryAfter: '60' }));
      await Promise.all(others.map(({ account }) => service.ask({ account })));
      assert.match(breakerSteps(service)[0] ?? '', /^open/);
      server.clearFaults();
      // Apple's bad answers have the service connect anew, which has half-opened it by itself.
      server.disconnectAll();
      await until(() => breakerSteps(service).at(-1) === 'half-open: connected', 'it is half-open');
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
      await until(() => breakerSteps(service).at(-1) === 'closed: Accepted', 'it is closed');
    });

    it(`${kind}: nothing reached it for a while`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: HURRIED });
      const server = standIn(service, kind);
      const phones = await Promise.all(Array.from({ length: 6 }, () => service.phone({ kind })));
      server.silence('reset');
      server.disconnectAll();
      await until(async () => {
        await Promise.all(phones.map(({ account }) => service.ask({ account })));
        return breakerSteps(service).filter((step) => step.startsWith('open')).length >= 3;
      }, 'the outage has lasted for some cool-downs');
      server.restore();
      const tookMs = await untilRinging(service, phones[0]?.account ?? 0);
      assert.ok(tookMs < SOON_MS, `a call rang after ${tookMs} ms`);
    });

    it(`${kind}: a long outage of 503 with Retry-After`, async (t: TestContext) => {
      const service = await startTestService(t, { settings: UNHURRIED });
      const phones = await Promise.all(Array.from({ length: 8 }, () => service.phone({ kind })));
      const answer = kind === 'ios' ? appleAnswer : googleAnswer;
      const server = standIn(service, kind);
      server.script(answer(503, kind === 'ios' ? 'Shutdown' : 'UNAVAILABLE'));
      await until(async () => {
        await Promise.all(phones.map(({ account }) => service.ask({ account })));
        return breakerSteps(service).filter((step) => step.startsWith('open')).length >= 3;
      }, 'some probes have failed');
      server.clearFaults();
      const tookMs = await untilRinging(service, phones[0]?.account ?? 0);
      assert.ok(tookMs < SOON_MS, `a call rang after ${tookMs} ms`);
    });
  }
});
