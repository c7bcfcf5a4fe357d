import type { AppLabels } from '../../src/push/push-events.ts';
import { APP, type EventRow, ORIGIN, series, testEvents } from './recorded.ts';

const OF_APP: AppLabels = { app: 7, appId: APP, platform: 'apns' };
const APP_FIELDS = { app: APP, platform: 'apns' };
const SAID = { reason: 'Other', detail: 'HTTP 418' };
const BUG = new TypeError('a bug');

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
function lost(cause: 'goaway' | 'ping-timeout', more: { readonly dismissed?: boolean } = {}) {
  return { origin: ORIGIN, cause, detail: 'x', inFlight: 3, ...more } as const;
}

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
