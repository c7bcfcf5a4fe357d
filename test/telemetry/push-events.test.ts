import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PushLabels } from '../../src/push/push-events.ts';
import { APP, type EventRow, recordedTelemetry, series, testEvents } from './recorded.ts';

const PUSH: PushLabels = {
  app: 7,
  appId: APP,
  platform: 'apns',
  provider: 'apns',
  pushId: 'push-1',
  uniqueKey: 'key',
  attempt: 2,
  account: 123_456_789,
};
const APP_FIELDS = { app: APP, platform: 'apns' };
const FIELDS = { ...APP_FIELDS, call: 'key', account: 123_456_789, push: 'push-1', attempt: 2 };
const SAID = { reason: 'Other', detail: 'HTTP 418' };
const CLOSED_OUT = { app: APP, provider: 'apns' };
const BUG = new TypeError('a bug');

testEvents('a push', [
  ...(
    [
      ['accepted', 'debug', 'push accepted'],
      ['token-gone', 'info', 'push token-gone'],
      ['failed', 'warn', 'push failed'],
      ['provider-down', 'debug', 'push provider-down'],
      ['overloaded', 'debug', 'push overloaded'],
      ['withdrawn', 'debug', 'push withdrawn'],
    ] as const
  ).map(
    ([kind, level, message]): EventRow => ({
      name: `that ended: ${kind}`,
      happens: ({ push }) =>
        push.pushEnded({ ...PUSH, ...SAID, kind, verdict: 'not-sent', tookMs: 250.4, tries: 3 }),
      lines: [[level, message, { ...FIELDS, ...SAID, tookMs: 250, tries: 3 }]],
      moves: {
        [series('pushes_total', { ...CLOSED_OUT, reason: 'Other' })]: 1,
        ...(kind === 'accepted'
          ? {
              'push_accepted_seconds_count{provider="apns"}': 1,
              'push_accepted_seconds_sum{provider="apns"}': 0.25,
            }
          : {}),
      },
    }),
  ),
  {
    name: 'that is a notice names no call',
    happens: ({ push }) =>
      push.pushEnded({
        ...PUSH,
        uniqueKey: null,
        attempt: 0,
        reason: 'Accepted',
        kind: 'accepted',
        verdict: 'accepted',
        tookMs: 1,
        tries: 1,
      }),
    lines: [
      [
        'debug',
        'push accepted',
        {
          ...APP_FIELDS,
          account: 123_456_789,
          push: 'push-1',
          attempt: 0,
          reason: 'Accepted',
          tookMs: 1,
          tries: 1,
        },
      ],
    ],
    moves: {
      [series('pushes_total', { ...CLOSED_OUT, reason: 'Accepted' })]: 1,
      'push_accepted_seconds_count{provider="apns"}': 1,
      'push_accepted_seconds_sum{provider="apns"}': 0.001,
    },
  },
  {
    name: 'that is tried again',
    happens: ({ push }) => push.pushRetried({ ...PUSH, ...SAID, inMs: 99.6 }),
    lines: [['info', 'push tried again', { ...FIELDS, ...SAID, inMs: 100 }]],
    moves: { [series('push_retries_total', { ...CLOSED_OUT, reason: 'Other' })]: 1 },
  },
  {
    name: 'that is refused for its phone alone',
    happens: ({ push }) => push.pushRefused({ ...PUSH, ...SAID }),
    lines: [
      [
        'warn',
        "push refused for this phone alone: the app's credential works for others",
        { ...FIELDS, ...SAID },
      ],
    ],
    moves: { [series('pushes_refused_total', { app: APP, platform: 'apns', reason: 'Other' })]: 1 },
  },
  {
    name: 'that the push service calls wrong',
    happens: ({ push }) => push.ourFault({ ...PUSH, ...SAID }),
    lines: [['error', 'the push service calls our message wrong', { ...FIELDS, ...SAID }]],
    moves: { [series('faults_total', { app: APP, platform: 'apns', reason: 'Other' })]: 1 },
  },
  ...Object.entries({
    TopicDisallowed: 'the push service does not let the credential push to this app id',
    BadTopic: 'the push service does not let the credential push to this app id',
    malformed: "a push service's answer is too large, or the push cannot be sent as HTTP/2",
    'notice-unsupported': 'the push service cannot carry this notice',
  }).map(
    ([reason, words]): EventRow => ({
      name: `that fails as ${reason}, in words of its own`,
      happens: ({ push }) => push.ourFault({ ...PUSH, reason }),
      lines: [['error', words, { ...FIELDS, reason }]],
      moves: { [series('faults_total', { app: APP, platform: 'apns', reason })]: 1 },
    }),
  ),
  {
    name: 'that fails by a bug, with its stack',
    happens: ({ push }) => push.ourFault({ ...PUSH, reason: 'internal-error', error: BUG }),
    lines: [
      ['error', 'a push failed by a fault of this service', { ...FIELDS, reason: 'internal-error' }, BUG],
    ],
    moves: { [series('faults_total', { app: APP, platform: 'apns', reason: 'internal-error' })]: 1 },
  },
]);

testEvents('a push token', [
  {
    name: 'that is dropped',
    happens: ({ push }) => push.tokenDropped({ ...PUSH, reason: 'Unregistered' }),
    lines: [['info', 'phone removed: its push token is dead', { ...FIELDS, reason: 'Unregistered' }]],
    moves: { [series('tokens_dropped_total', { ...CLOSED_OUT, reason: 'Unregistered' })]: 1 },
  },
  {
    name: 'that is kept',
    happens: ({ push }) =>
      push.tokenKept({ ...PUSH, reason: 'Unregistered', because: 'registered-since', alarm: false }),
    lines: [
      ['info', 'refused push token kept', { ...FIELDS, reason: 'Unregistered', because: 'registered-since' }],
    ],
    moves: { [series('tokens_kept_total', { ...CLOSED_OUT, because: 'registered-since' })]: 1 },
  },
  {
    name: 'that is kept as one of many: an alarm',
    happens: ({ push }) =>
      push.tokenKept({ ...PUSH, reason: 'BadDeviceToken', because: 'setup-fault', alarm: true }),
    lines: [
      [
        'error',
        "many tokens of this app are refused and none is taken: look at the app's setup; no phone was removed",
        { ...FIELDS, reason: 'BadDeviceToken', because: 'setup-fault' },
      ],
    ],
    moves: { [series('tokens_kept_total', { ...CLOSED_OUT, because: 'setup-fault' })]: 1 },
  },
  {
    name: 'of which the database cannot be told',
    happens: ({ push }) => push.tokenStoreFailed({ ...PUSH, error: BUG }),
    lines: [['error', 'the database could not be asked', { during: 'updating a push token' }, BUG]],
    moves: { storage_failures_total: 1 },
  },
]);

describe('a flood of pushes', () => {
  it('that fail, are tried again and are refused: 300 lines of each for each app', async (t) => {
    const { telemetry, lines, moves } = await recordedTelemetry(t, { level: 'info' });
    const ended = { ...SAID, verdict: 'not-sent', tookMs: 1, tries: 1 } as const;
    for (let times = 0; times < 310; times += 1) {
      for (const app of [7, 8]) {
        telemetry.push.pushEnded({ ...PUSH, ...ended, app, kind: 'failed' });
        telemetry.push.pushEnded({ ...PUSH, ...ended, app, kind: 'accepted' });
        telemetry.push.pushRetried({ ...PUSH, ...SAID, app, inMs: 1 });
        telemetry.push.pushRefused({ ...PUSH, ...SAID, app });
      }
    }
    const counts = Object.groupBy(lines(), ([, message]) => message);
    assert.deepEqual(
      Object.entries(counts).map(([message, each]) => [message, each?.length]),
      [
        ['push failed', 600],
        ['push tried again', 600],
        ["push refused for this phone alone: the app's credential works for others", 600],
      ],
    );
    const moved = await moves();
    assert.equal(moved[series('pushes_total', { ...CLOSED_OUT, reason: 'Other' })], 4 * 310);
    assert.equal(moved[series('push_retries_total', { ...CLOSED_OUT, reason: 'Other' })], 2 * 310);
  });
});

it('pushes of apps past the hundredth are counted together', async (t) => {
  const { telemetry, moves } = await recordedTelemetry(t);
  for (let app = 0; app < 105; app += 1) {
    const appId = `app-${app}`;
    telemetry.push.pushRetried({ ...PUSH, appId, reason: 'Other', inMs: 1 });
  }
  const moved = await moves();
  assert.equal(moved[series('push_retries_total', { app: 'app-98', provider: 'apns', reason: 'Other' })], 1);
  assert.equal(moved[series('push_retries_total', { app: 'other', provider: 'apns', reason: 'Other' })], 6);
});
