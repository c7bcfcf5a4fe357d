import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { AppLabels, PushLabels } from '../../src/push/push-events.ts';
import { APP, type EventRow, ORIGIN, recordedTelemetry, testEvents } from './recorded.ts';

const OF_APP: AppLabels = { app: 7, appId: APP, platform: 'apns' };
const PUSH: PushLabels = {
  ...OF_APP,
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

/** A series of the app, with these further labels. */
const series = (name: string, labels: Readonly<Record<string, string>>) =>
  `${name}{${Object.entries(labels)
    .map(([label, value]) => `${label}="${value}"`)
    .join(',')}}`;

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

testEvents("an app's credential", [
  {
    name: 'that is not accepted',
    happens: ({ push }) => push.appFault({ ...OF_APP, ...SAID, error: BUG }),
    lines: [
      [
        'error',
        "the app's credential is not accepted: its phones cannot be woken",
        { ...APP_FIELDS, ...SAID, error: 'TypeError: a bug' },
      ],
    ],
    moves: { [series('faults_total', { app: APP, platform: 'apns', reason: 'Other' })]: 1 },
  },
  {
    name: 'that was changed or removed',
    happens: ({ push }) => push.appRetired(OF_APP),
    lines: [['info', 'app changed or removed', APP_FIELDS]],
    moves: {},
  },
  {
    name: 'whose connections do not close',
    happens: ({ push }) => push.appCloseFailed({ ...OF_APP, error: BUG }),
    lines: [['error', 'connections of an app did not close', APP_FIELDS, BUG]],
    moves: {},
  },
  {
    name: "Apple's provider token is made",
    happens: ({ push }) => push.apnsTokenMinted({ teamId: 'TEAM', keyId: 'KEY' }),
    lines: [['info', 'Apple provider token made', { teamId: 'TEAM', keyId: 'KEY' }]],
    moves: {},
  },
  {
    name: "Apple's provider token cannot be shared",
    happens: ({ push }) => push.apnsTokenNotShared({ keyId: 'KEY', error: BUG }),
    lines: [
      [
        'error',
        "the database's Apple provider token could not be used; made another one",
        { keyId: 'KEY' },
        BUG,
      ],
    ],
    moves: { storage_failures_total: 1 },
  },
  ...(
    [
      ['app-fault', 'error'],
      ['unavailable', 'warn'],
    ] as const
  ).map(
    ([kind, level]): EventRow => ({
      name: `Google gives no access token: ${kind}`,
      happens: ({ push }) =>
        push.fcmTokenFailed({ project: 'p', kind, reason: 'oauth-timeout', detail: 'HTTP 418' }),
      lines: [
        [
          level,
          'Google access token not given',
          { project: 'p', reason: 'oauth-timeout', detail: 'HTTP 418' },
        ],
      ],
      moves: { 'oauth_failures_total{reason="oauth-timeout"}': 1 },
    }),
  ),
  {
    name: 'Google gives access tokens again',
    happens: ({ push }) => {
      push.fcmTokenFailed({ project: 'p', kind: 'unavailable', reason: 'oauth-timeout' });
      push.fcmTokenFetched({ project: 'other', tookMs: 1 });
      push.fcmTokenFetched({ project: 'p', tookMs: 99.6 });
    },
    lines: [
      ['warn', 'Google access token not given', { project: 'p', reason: 'oauth-timeout' }],
      ['info', 'Google access token fetched', { project: 'other', tookMs: 1 }],
      ['info', 'Google access token fetched', { project: 'p', tookMs: 100 }],
      ['info', 'Google gives access tokens again', { project: 'p', times: 1, lastedSeconds: 0 }],
    ],
    moves: { 'oauth_failures_total{reason="oauth-timeout"}': 1 },
  },
]);

const STATE = { app: APP, platform: 'apns', environment: 'production' };
const BREAKER = { ...OF_APP, environment: 'production', reason: 'ServiceUnavailable' } as const;
const BREAKER_FIELDS = { ...STATE, reason: 'ServiceUnavailable' };

testEvents('a breaker', [
  {
    name: 'opens, tries and closes',
    happens: ({ push }) => {
      for (const state of ['open', 'half-open', 'open', 'closed'] as const)
        push.breakerChanged({ ...BREAKER, state });
    },
    lines: [
      ['error', 'push service breaker open', { ...BREAKER_FIELDS, state: 'open' }],
      ['debug', 'push service breaker half-open', { ...BREAKER_FIELDS, state: 'half-open' }],
      ['debug', 'push service breaker open', { ...BREAKER_FIELDS, state: 'open' }],
      [
        'info',
        'push service works again',
        { ...BREAKER_FIELDS, state: 'closed', times: 2, lastedSeconds: 0 },
      ],
    ],
    moves: {},
    begins: true,
  },
  ...(
    [
      ['open', 2],
      ['half-open', 1],
    ] as const
  ).map(
    ([state, value]): EventRow => ({
      name: `is ${value} in its gauge while ${state}`,
      happens: ({ push }) => push.breakerChanged({ ...BREAKER, state }),
      lines: [
        [state === 'open' ? 'error' : 'debug', `push service breaker ${state}`, { ...BREAKER_FIELDS, state }],
      ],
      moves: { [series('breaker_state', STATE)]: value },
      begins: true,
    }),
  ),
  {
    name: 'of each environment is one of its own, and both are gone with the app',
    happens: ({ push }) => {
      for (const environment of ['production', 'sandbox'] as const)
        push.breakerChanged({ ...BREAKER, environment, state: 'open' });
      push.appRetired(OF_APP);
      // As if it had never been open.
      push.breakerChanged({ ...BREAKER, environment: 'sandbox', state: 'closed' });
    },
    lines: [
      ['error', 'push service breaker open', { ...BREAKER_FIELDS, state: 'open' }],
      ['error', 'push service breaker open', { ...BREAKER_FIELDS, environment: 'sandbox', state: 'open' }],
      ['info', 'app changed or removed', APP_FIELDS],
    ],
    moves: {},
    begins: true,
  },
]);

const ERROR = new Error('connect ECONNREFUSED');
const lost = (cause: 'goaway' | 'ping-timeout', more: { readonly dismissed?: boolean } = {}) =>
  ({ origin: ORIGIN, cause, detail: 'x', inFlight: 3, ...more }) as const;

testEvents('a connection to a push service', [
  {
    name: 'is made, and lost',
    happens: ({ push }) => {
      push.channelConnected({ origin: ORIGIN, tookMs: 99.6 });
      push.channelConnected({ origin: ORIGIN, tookMs: 10 });
      push.channelLost(lost('goaway'));
    },
    lines: [
      ['info', 'connected to push service', { origin: ORIGIN, tookMs: 100 }],
      ['info', 'connected to push service', { origin: ORIGIN, tookMs: 10 }],
      ['info', 'connection to push service ended: goaway', { origin: ORIGIN, detail: 'x', inFlight: 3 }],
    ],
    moves: {
      [`channel_connects_total{origin="${ORIGIN}"}`]: 2,
      [`channel_connections{origin="${ORIGIN}"}`]: 1,
      [`channel_losses_total{origin="${ORIGIN}",cause="goaway"}`]: 1,
    },
  },
  ...[lost('ping-timeout'), lost('goaway', { dismissed: true })].map(
    (event): EventRow => ({
      name: `is lost in a way to look at: ${event.cause}`,
      happens: ({ push }) => push.channelLost(event),
      lines: [
        [
          'warn',
          `connection to push service ended: ${event.cause}`,
          { origin: ORIGIN, detail: 'x', inFlight: 3 },
        ],
      ],
      moves: {
        [`channel_connections{origin="${ORIGIN}"}`]: -1,
        [`channel_losses_total{origin="${ORIGIN}",cause="${event.cause}"}`]: 1,
      },
    }),
  ),
  {
    name: 'cannot be made, and can again',
    happens: ({ push }) => {
      for (const retryInMs of [99.6, 200])
        push.channelConnectFailed({ origin: ORIGIN, error: ERROR, retryInMs });
      push.channelConnected({ origin: ORIGIN, tookMs: 10 });
    },
    lines: [
      [
        'error',
        'push service cannot be reached',
        { origin: ORIGIN, error: 'connect ECONNREFUSED', retryInMs: 100 },
      ],
      ['info', 'connected to push service', { origin: ORIGIN, tookMs: 10 }],
      ['info', 'push service can be reached again', { origin: ORIGIN, times: 2, lastedSeconds: 0 }],
    ],
    moves: {
      [`channel_connect_failures_total{origin="${ORIGIN}"}`]: 2,
      [`channel_connects_total{origin="${ORIGIN}"}`]: 1,
      [`channel_connections{origin="${ORIGIN}"}`]: 1,
    },
  },
]);

describe('a flood of pushes', () => {
  test('that fail, are tried again and are refused: 300 lines of each for each app', async (t) => {
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

test('pushes of apps past the hundredth are counted together', async (t) => {
  const { telemetry, moves } = await recordedTelemetry(t);
  for (let app = 0; app < 105; app += 1) {
    const appId = `app-${app}`;
    telemetry.push.pushRetried({ ...PUSH, appId, reason: 'Other', inMs: 1 });
  }
  const moved = await moves();
  assert.equal(moved[series('push_retries_total', { app: 'app-98', provider: 'apns', reason: 'Other' })], 1);
  assert.equal(moved[series('push_retries_total', { app: 'other', provider: 'apns', reason: 'Other' })], 6);
});
