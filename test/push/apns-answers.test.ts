import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { FinalVerdict, PushVerdict } from '../../src/push/push-provider.ts';
import { APNS_REASONS, readApnsGoaway } from '../../src/push/services/apns/answers.ts';
import { apnsScene } from './helpers/apns-scene.ts';
import { answered, makeRequest, PLAIN } from './helpers/provider-fixture.ts';

function once(reason: string, otherwise: FinalVerdict): PushVerdict {
  return {
    kind: 'retry',
    reason,
    limit: 'once',
    afterMs: 0,
    otherwise,
  };
}

interface Row {
  readonly status: number;
  readonly reasons: readonly string[];
  readonly verdict: (reason: string) => PushVerdict;
  readonly body?: object;
  readonly headers?: Readonly<Record<string, string>>;
  readonly renews?: true;
}

/** Apple's table, for a device whose environment is known and a provider token that was just made. */
const TABLE: readonly Row[] = [
  {
    status: 400,
    reasons: ['BadDeviceToken', 'DeviceTokenNotForTopic'],
    verdict: (reason) => ({ kind: 'token-suspect', reason }),
  },
  {
    status: 400,
    reasons: [
      'MissingDeviceToken',
      'BadCollapseId',
      'BadExpirationDate',
      'BadMessageId',
      'BadPriority',
      'BadTopic',
      'MissingTopic',
      'DuplicateHeaders',
      'InvalidPushType',
      'PayloadEmpty',
      'TopicDisallowed',
    ],
    verdict: (reason) => ({ kind: 'our-fault', reason }),
  },
  {
    status: 400,
    reasons: ['IdleTimeout'],
    verdict: (reason) => once(reason, { kind: 'unavailable', reason }),
    renews: true,
  },
  { status: 403, reasons: ['ExpiredProviderToken'], verdict: (reason) => ({ kind: 'app-fault', reason }) },
  {
    status: 403,
    reasons: [
      'InvalidProviderToken',
      'MissingProviderToken',
      'UnrelatedKeyIdInToken',
      'BadEnvironmentKeyIdInToken',
      'BadEnvironmentKeyInToken',
      'BadCertificate',
      'BadCertificateEnvironment',
      'Forbidden',
    ],
    verdict: (reason) => ({ kind: 'app-fault', reason }),
  },
  { status: 404, reasons: ['BadPath'], verdict: (reason) => ({ kind: 'our-fault', reason }) },
  { status: 405, reasons: ['MethodNotAllowed'], verdict: (reason) => ({ kind: 'our-fault', reason }) },
  {
    status: 410,
    reasons: ['Unregistered', 'ExpiredToken'],
    body: { timestamp: 1_454_948_015_990 },
    verdict: (reason) => ({ kind: 'token-dead', reason, since: 1_454_948_015_990 }),
  },
  {
    status: 413,
    reasons: ['PayloadTooLarge'],
    verdict: (reason) => ({
      ...once(reason, { kind: 'our-fault', reason }),
      variant: { minimal: true },
    }),
  },
  {
    status: 429,
    reasons: ['TooManyProviderTokenUpdates'],
    headers: { 'retry-after': '3' },
    verdict: (reason) => ({ kind: 'throttled', reason, scope: 'app', retryAfterMs: 3_000 }),
  },
  {
    status: 429,
    reasons: ['TooManyRequests'],
    verdict: (reason) => ({ kind: 'throttled', reason, scope: 'device' }),
  },
  {
    status: 500,
    reasons: ['InternalServerError'],
    verdict: (reason) => once(reason, { kind: 'unavailable', reason }),
    renews: true,
  },
  {
    status: 503,
    reasons: ['ServiceUnavailable', 'Shutdown'],
    headers: { 'retry-after': '1' },
    verdict: (reason) => ({
      kind: 'retry',
      reason,
      limit: 'budget',
      afterMs: 1_000,
      otherwise: { kind: 'unavailable', reason, retryAfterMs: 1_000 },
    }),
    renews: true,
  },
];

for (const row of TABLE)
  for (const reason of row.reasons)
    it(`${row.status} ${reason}`, async () => {
      const { provider, channels, clock } = apnsScene(
        answered(row.status, { reason, ...row.body }, row.headers),
      );
      assert.deepEqual(await provider.send(makeRequest(clock), PLAIN), row.verdict(reason));
      assert.equal(channels.production.counts.renewals, row.renews ? 1 : 0);
    });

it('the cases above are the whole table', () => {
  assert.deepEqual(TABLE.flatMap((row) => row.reasons).toSorted(), Object.keys(APNS_REASONS).toSorted());
});

function finalOf(verdict: PushVerdict): FinalVerdict {
  return verdict.kind === 'retry' ? verdict.otherwise : verdict;
}

const LONG = 'a'.repeat(300);

const UNKNOWN: readonly (readonly [number, PushVerdict['kind'], string, detail?: string])[] = [
  [302, 'our-fault', ''],
  [400, 'our-fault', '{"reason":"NewWord"}', 'HTTP 400: NewWord'],
  [400, 'our-fault', '{"reason":"a\\u001b[31m\\nb\\u202e"}', 'HTTP 400: a?[31m?b?'],
  [503, 'retry', `{"reason":"two words ${LONG}"}`, 'HTTP 503: two words ...'],
  [400, 'our-fault', '{"reason":"constructor"}', 'HTTP 400: constructor'],
  [400, 'our-fault', '{"reason":42}'],
  [403, 'app-fault', 'null'],
  [407, 'our-fault', '<html>'],
  [410, 'token-dead', '[]'],
  [413, 'retry', '{'],
  [429, 'throttled', ''],
  [500, 'retry', ''],
  [502, 'retry', '<html>Bad gateway</html>'],
];

for (const [status, kind, body, detail = `HTTP ${status}`] of UNKNOWN)
  it(`${status} with ${body.slice(0, 40) || 'nothing'} goes by its status, and is logged with it`, async () => {
    const { provider, clock } = apnsScene(answered(status, body));
    const verdict = await provider.send(makeRequest(clock), PLAIN);
    assert.equal(verdict.kind, kind);
    assert.equal(verdict.reason, 'Other');
    assert.equal(finalOf(verdict).detail, detail);
  });

it('410 without a usable time is older than any registration: no phone is forgotten for it', async () => {
  for (const timestamp of [undefined, 'yesterday', -1, null]) {
    const { provider, clock } = apnsScene(answered(410, { reason: 'Unregistered', timestamp }));
    const verdict = await provider.send(makeRequest(clock), PLAIN);
    assert.deepEqual(verdict, { kind: 'token-dead', reason: 'Unregistered', since: 0 });
  }
});

it('a GOAWAY that processed nothing answers for the credential, never for a device', () => {
  const verdictOf = (reason: string) => {
    const answer = readApnsGoaway(JSON.stringify({ reason }));
    return answer && [answer.meaning, answer.reason];
  };
  for (const [reason, meaning] of Object.entries(APNS_REASONS)) {
    switch (meaning) {
      case 'idle':
      case 'broken-connection':
      case 'out-of-service':
        assert.equal(verdictOf(reason), undefined, reason);
        break;
      case 'token-misfit':
      case 'token-dead':
      case 'payload-too-large':
      case 'device-throttled':
        assert.deepEqual(verdictOf(reason), ['broken-connection', reason]);
        break;
      default:
        assert.deepEqual(verdictOf(reason), [meaning, reason]);
    }
  }
  assert.deepEqual(readApnsGoaway('{"reason":"NotYetDocumented"}'), {
    meaning: 'broken-connection',
    reason: 'Other',
    detail: 'GOAWAY: NotYetDocumented',
  });
  for (const text of ['', 'too_many_pings', '{}', '{"reason":7}', 'null'])
    assert.equal(readApnsGoaway(text), undefined, text);
});
