import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ChannelFailure } from '../../src/http2/channel-types.ts';
import { channelVerdict } from '../../src/push/channel-verdict.ts';
import type { PushLabels } from '../../src/push/push-events.ts';
import type { ProviderName, PushVerdict } from '../../src/push/push-provider.ts';
import { APNS_REASONS, readApnsAnswer, readApnsGoaway } from '../../src/push/services/apns/answers.ts';
import { apnsVerdict } from '../../src/push/services/apns/verdict.ts';
import { FCM_CODES, fcmVerdict, readFcmAnswer } from '../../src/push/services/fcm/answers.ts';
import { CHANNEL_FAILURES, OAUTH_FAILURES, OAUTH_REFUSALS } from '../../src/telemetry/app-labels.ts';
import type { Telemetry } from '../../src/telemetry/telemetry.ts';
import { parseSeries } from '../helpers/parse-series.ts';
import { APP, recordedTelemetry } from './recorded.ts';

const STATUSES = [400, 401, 403, 404, 410, 413, 429, 500, 503];
const YES_OR_NO = [false, true];

function apnsVerdicts(): PushVerdict[] {
  const bodies = [...Object.keys(APNS_REASONS), 'Unheard'].map((reason) => JSON.stringify({ reason }));
  const answers = bodies.flatMap((body) => STATUSES.map((status) => readApnsAnswer(status, body)));
  const attempts = YES_OR_NO.flatMap((environmentUnknown) =>
    YES_OR_NO.flatMap((minimal) =>
      YES_OR_NO.flatMap((otherEnvironment) => ({
        environmentUnknown,
        variant: { minimal, otherEnvironment },
        sandbox: false,
        hasNewToken: minimal,
        retryAfterMs: undefined,
      })),
    ),
  );
  return [
    readApnsAnswer(200, ''),
    ...answers,
    ...bodies.flatMap((body) => readApnsGoaway(body) ?? []),
  ].flatMap((answer) => attempts.map((attempt) => apnsVerdict(answer, attempt)));
}

function fcmVerdicts(): PushVerdict[] {
  const details = [{ '@type': 'type.googleapis.com/google.firebase.fcm.v1.FcmError' }];
  const bodies = [...Object.keys(FCM_CODES), 'UNHEARD'].flatMap((status) => [
    { error: { status } },
    { error: { details: details.map((detail) => ({ ...detail, errorCode: status })) } },
  ]);
  const answers = bodies.flatMap((body) =>
    STATUSES.map((status) => readFcmAnswer(status, JSON.stringify(body))),
  );
  return [readFcmAnswer(200, ''), ...answers].map((answer) => fcmVerdict(answer, undefined));
}

function isChannelFailure(word: string): word is ChannelFailure {
  return CHANNEL_FAILURES.includes(word);
}

/** What becomes of a push, whatever its provider finds. */
const VERDICTS: Readonly<Record<ProviderName, readonly PushVerdict[]>> = {
  apns: [...apnsVerdicts(), { kind: 'app-fault', reason: 'key-unusable', unsent: true }],
  fcm: [
    ...fcmVerdicts(),
    ...OAUTH_FAILURES.map((reason) => {
      const kind = OAUTH_REFUSALS.includes(reason) ? 'app-fault' : 'unavailable';
      return { kind, reason, unsent: true } as const;
    }),
  ],
};

/** Reports all that may come of a verdict, as the sender does. */
function report(push: Telemetry['push'], labels: PushLabels, verdict: PushVerdict): void {
  const said = { ...labels, reason: verdict.reason };
  const kind = verdict.kind === 'retry' || verdict.kind === 'accepted' ? verdict.kind : 'failed';
  if (kind !== 'retry') push.pushEnded({ ...said, kind, verdict: 'not-sent', tookMs: 1, tries: 1 });
  switch (verdict.kind) {
    case 'retry':
      push.pushRetried({ ...said, inMs: 0 });
      report(push, labels, verdict.otherwise);
      break;
    case 'app-fault':
      push.appFault(said);
      if (verdict.unsent === true) break;
      push.pushRetried({ ...said, inMs: 0 });
      push.pushRefused(said);
      break;
    case 'our-fault':
      push.ourFault(said);
      break;
    case 'token-dead':
    case 'token-suspect':
      push.tokenDropped(said);
      break;
    default:
  }
}

for (const [provider, platform] of [
  ['apns', 'apns'],
  ['fcm', 'android'],
] as const) {
  it(`the series of an app are there before its first event, and no other (${provider})`, async (t) => {
    const { telemetry, begun } = await recordedTelemetry(t);
    const { push } = telemetry;
    const call = { pushId: 'push-1', uniqueKey: 'key', attempt: 1, account: 123_456_789 };
    const labels = { app: 7, appId: APP, platform, provider, ...call };
    for (const verdict of VERDICTS[provider]) report(push, labels, verdict);
    for (const failure of CHANNEL_FAILURES.filter(isChannelFailure))
      report(push, labels, channelVerdict(failure));
    for (const reason of ['internal-error', 'notice-unsupported'])
      report(push, labels, { kind: 'our-fault', reason });
    push.appFault({ ...labels, reason: 'credential-unusable' });
    for (const reason of ['unknown-app', 'credential-unusable', 'too-many-in-flight', 'breaker-open'])
      report(push, labels, { kind: 'overloaded', reason });
    for (const because of ['setup-fault', 'no-recent-success', 'registered-since'] as const)
      push.tokenKept({ ...labels, reason: 'Other', because, alarm: false });
    assert.deepEqual(await begun(), []);
    const ofPushes = parseSeries(await telemetry.readMetrics()).filter(
      ({ text }) =>
        text.includes(APP) &&
        new RegExp(`(provider="${provider}"|_(faults|refused)_.*platform="${platform}")`).test(text),
    );
    assert.ok(ofPushes.length > 50);
    const idle = ofPushes.filter(({ value }) => value === 0).map(({ text }) => text);
    assert.deepEqual(idle, []);
  });
}
