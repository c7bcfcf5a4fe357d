import assert from 'node:assert/strict';
import { test } from 'node:test';
import { APNS_REASONS } from '../../src/push/apns/answers.ts';
import { FCM_CODES } from '../../src/push/fcm/answers.ts';
import type { PushLabels } from '../../src/push/push-events.ts';
import type { ProviderName } from '../../src/push/push-provider.ts';
import { OAUTH_FAILURES, OWN_REASONS } from '../../src/telemetry/app-labels.ts';
import { APP, recordedTelemetry } from './recorded.ts';

/** Words of answers that have one of these meanings. */
function wordsOf(table: Readonly<Record<string, string>>, ...meanings: readonly string[]): readonly string[] {
  return Object.keys(table).filter((word) => meanings.includes(table[word] ?? ''));
}

const OURS = ['malformed', 'credential-unusable', 'notice-unsupported', 'internal-error'];

/** With which reasons each event can come, besides `Other`. */
const REASONS: Readonly<
  Record<
    ProviderName,
    Readonly<Record<'ended' | 'retried' | 'fault' | 'refused' | 'dropped', readonly string[]>>
  >
> = {
  apns: {
    ended: [
      ...OWN_REASONS.filter((reason) => !OAUTH_FAILURES.includes(reason)),
      'key-unusable',
      ...Object.keys(APNS_REASONS),
    ],
    retried: [
      'stream-reset',
      ...wordsOf(
        APNS_REASONS,
        'idle',
        'broken-connection',
        'out-of-service',
        'jwt-expired',
        'payload-too-large',
      ),
      ...wordsOf(APNS_REASONS, 'app-fault'),
      'BadDeviceToken',
    ],
    fault: [
      ...OURS,
      'key-unusable',
      ...wordsOf(APNS_REASONS, 'app-fault', 'our-fault', 'jwt-expired', 'payload-too-large'),
    ],
    refused: wordsOf(APNS_REASONS, 'app-fault', 'jwt-expired'),
    dropped: wordsOf(APNS_REASONS, 'token-dead', 'token-misfit'),
  },
  fcm: {
    ended: [...OWN_REASONS, ...Object.keys(FCM_CODES)],
    retried: ['stream-reset', ...wordsOf(FCM_CODES, 'internal', 'out-of-service', 'credential-refused')],
    fault: [
      ...OURS,
      ...OAUTH_FAILURES,
      ...wordsOf(FCM_CODES, 'our-fault', 'credential-refused'),
      'INVALID_ARGUMENT',
    ],
    refused: wordsOf(FCM_CODES, 'our-fault', 'credential-refused'),
    dropped: wordsOf(FCM_CODES, 'token-dead', 'token-suspect'),
  },
};

for (const provider of ['apns', 'fcm'] as const) {
  test(`every series of an app is there before its first event (${provider})`, async (t) => {
    const { telemetry, begun, moves } = await recordedTelemetry(t);
    const { push } = telemetry;
    const labels: PushLabels = {
      app: 7,
      appId: APP,
      platform: provider === 'apns' ? 'apns' : 'android',
      provider,
      pushId: 'push-1',
      uniqueKey: 'key',
      attempt: 1,
      account: 123_456_789,
    };
    const ended = { verdict: 'not-sent', tookMs: 1, tries: 1, kind: 'provider-down' } as const;
    const { ended: ends, retried, fault, refused, dropped } = REASONS[provider];
    for (const reason of ['Accepted', 'Other', ...ends]) push.pushEnded({ ...labels, ...ended, reason });
    for (const reason of ['Other', ...retried]) push.pushRetried({ ...labels, reason, inMs: 0 });
    for (const reason of ['Other', ...fault]) push.appFault({ ...labels, reason });
    for (const reason of ['Other', ...refused]) push.pushRefused({ ...labels, reason });
    for (const reason of dropped) push.tokenDropped({ ...labels, reason });
    for (const because of ['setup-fault', 'no-recent-success', 'registered-since'] as const)
      push.tokenKept({ ...labels, reason: 'Other', because, alarm: false });
    assert.deepEqual(await begun(), []);
    assert.ok(Object.keys(await moves()).length > 50);
  });
}
