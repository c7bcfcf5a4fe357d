import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import type { HttpFault } from '../../src/sandbox/http-fault.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { addGoogleApps } from './own-apps.ts';
import { alarmsOf } from './registration.ts';
import { UNHURRIED } from './unhurried.ts';

function oauthError(status: number, error: string): HttpFault {
  return {
    kind: 'answer',
    status,
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ error }),
  };
}

const NOT_GIVEN = 'Google access token not given';

/** A phone of an app that is added now, with an account of its own. */
async function newAppsPhone(service: TestService, name: string) {
  const [app = ''] = await addGoogleApps(service, { count: 1, name });
  return { ...(await service.phone({ app })), app };
}

/** A service whose newest app has no access token yet and gets none, and that app's phone. */
async function whileSilent(t: TestContext, wait: string) {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: wait, APP_PUSH_RESEND_INTERVAL: wait },
  });
  await until(() => service.world.google.tokensIssued() === 1, "the other app's token is there");
  service.world.google.scriptToken({ kind: 'hang' });
  return { service, phone: await newAppsPhone(service, 'silent') };
}

/** RFC 6749 section 5.2: the account is refused, and asking again does not help. */
const REFUSALS: readonly (readonly [HttpFault, string])[] = [
  [oauthError(400, 'invalid_grant'), 'oauth-invalid-grant'],
  [oauthError(401, 'invalid_client'), 'oauth-invalid-client'],
  [oauthError(403, 'unauthorized_client'), 'oauth-unauthorized'],
  [oauthError(400, 'made_up'), 'oauth-refused'],
  [{ kind: 'answer', status: 302, headers: { location: '/elsewhere' } }, 'oauth-refused'],
];

/** The token address is out of order. */
const OUTAGES: readonly (readonly [HttpFault, string])[] = [
  [oauthError(500, 'internal_failure'), 'oauth-server-error'],
  [oauthError(503, 'unavailable'), 'oauth-server-error'],
  [oauthError(429, 'rate_limit_exceeded'), 'oauth-server-error'],
  [{ kind: 'answer', status: 200, body: 'not JSON' }, 'oauth-bad-answer'],
  [{ kind: 'answer', status: 200, body: '{"access_token":"a\\nb"}' }, 'oauth-bad-answer'],
  [{ kind: 'answer', status: 200, body: `{"access_token":"${'x'.repeat(70_000)}"}` }, 'oauth-bad-answer'],
  [{ kind: 'disconnect' }, 'oauth-unreachable'],
];

function nameOf(fault: HttpFault): string {
  return fault.kind === 'answer' ? `${fault.status} ${(fault.body ?? '').slice(0, 40)}` : fault.kind;
}

it('an account that Google refuses: NAK at once and an alarm', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const { google } = service.world;
  await until(() => google.tokensIssued() === 1, "the other app's token is there");
  for (const [n, [fault, reason]] of REFUSALS.entries()) {
    await t.test(nameOf(fault), async () => {
      google.scriptToken(fault);
      const phone = await newAppsPhone(service, `refused${n}`);
      const { outcome, tookMs } = await service.ask({ account: phone.account });
      assert.equal(outcome, 'provider-down');
      assert.ok(tookMs < 9_000, `the PBX was kept waiting for ${tookMs} ms`);
      const alarms = alarmsOf(service, phone.app);
      assert.ok(alarms.length > 0 && alarms.every((line) => line.fields['reason'] === reason));
      assert.ok(
        service.logged.some((line) => line.message === NOT_GIVEN && line.fields['reason'] === reason),
      );
      google.clearFaults();
    });
  }
  assert.equal(google.requests.count(), 0);
  const other = await service.phone();
  assert.equal((await service.ask({ account: other.account })).outcome, 'ready');
});

it('a token address that is out of order: NAK, and calls ring again when it works', async (t) => {
  const service = await startTestService(t, { settings: UNHURRIED });
  const { google } = service.world;
  await until(() => google.tokensIssued() === 1, "the other app's token is there");
  for (const [n, [fault, reason]] of OUTAGES.entries()) {
    await t.test(nameOf(fault), async () => {
      google.scriptToken(fault);
      const phone = await newAppsPhone(service, `outage${n}`);
      assert.equal((await service.ask({ account: phone.account })).outcome, 'push-failed');
      assert.deepEqual(alarmsOf(service, phone.app), []);
      assert.ok(
        service.logged.some((line) => line.message === NOT_GIVEN && line.fields['reason'] === reason),
      );
      google.clearFaults();
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    });
  }
});

describe('a token address that does not answer', { concurrency: true }, () => {
  it('one bad moment: the call that waits for the token is saved', async (t) => {
    const { service, phone } = await whileSilent(t, '10000');
    const waiting = service.ask({ account: phone.account });
    await until(() => service.running.waiting() === 1, 'the call waits');
    service.world.google.clearFaults();
    const { outcome, tookMs } = await waiting;
    assert.equal(outcome, 'ready');
    assert.ok(tookMs < 9_000, `the token was waited for, for ${tookMs} ms`);
  });

  it('no answer at all: the call has its NAK at its deadline', async (t) => {
    const { service, phone } = await whileSilent(t, '600');
    const { outcome, tookMs } = await service.ask({ account: phone.account });
    assert.equal(outcome, 'push-failed');
    assert.ok(tookMs >= 590 && tookMs < 600 + margin(1_500), `the call took ${tookMs} ms`);
  });

  it('tokens that all stop to work: the next call has another one', async (t) => {
    const service = await startTestService(t, { settings: UNHURRIED });
    const phone = await service.phone();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    service.world.google.revokeTokens();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal(service.world.google.tokensIssued(), 2);
    assert.equal(service.world.google.requests.count(), 3);
  });
});
