import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ODD_TOKEN_SHAPES } from '../../src/http/wire/fields/ios-token-shape.ts';
import { StorageUnavailable } from '../../src/storage/storage-unavailable.ts';
import type { LogFields } from '../../src/telemetry/redaction.ts';
import { parseSeries } from '../helpers/parse-series.ts';
import { APP, type EventRow, type Line, recordedTelemetry, series, testEvents } from './recorded.ts';

const BUG = new TypeError('a bug');
const GONE = new StorageUnavailable('gone', { cause: undefined });
const GONE_WORDS = 'StorageUnavailable: storage unavailable: the database server cannot be reached';
const DEVICE = { account: 123_456_789, platform: 'android', app: 'com.example.phone', token: 'secret' };

testEvents('a connection that is closed', [
  ...(
    [
      ['idle', 'more connections than MAX_CONNECTIONS: one without a request is closed'],
      ['crowded', 'far more connections than MAX_CONNECTIONS: one without a request is closed at once'],
      ['unread', 'a client does not read its response: its connection is closed'],
      ['pipelined', 'a client sends requests without waiting for answers: its connection is closed'],
    ] as const
  ).map(
    ([why, message]): EventRow => ({
      name: why,
      happens: ({ http }) => http.connectionClosed({ why }),
      lines: [['warn', message, { why }]],
      moves: { [`connections_closed_total{why="${why}"}`]: 1 },
    }),
  ),
]);

const ACCOUNT_ENDPOINTS = [
  'apns-device',
  'gcm-device',
  'android-device',
  'hangup-reason',
  'log-metrics',
  'check-in',
] as const;
const REFUSALS = [
  ...(['address', 'certificate', 'token', 'untrusted-proxy', 'limited'] as const).map(
    (why) => ['pbx', why] as const,
  ),
  ['call-response', 'limited'] as const,
  ...ACCOUNT_ENDPOINTS.flatMap((endpoint) =>
    (['unauthenticated', 'forbidden', 'platform-down', 'limited'] as const).map(
      (why) => [endpoint, why] as const,
    ),
  ),
];

testEvents(
  'a request that is refused',
  REFUSALS.map(([endpoint, why]) => ({
    name: `${endpoint}: ${why}`,
    happens: ({ http }) =>
      http.requestRefused({ endpoint, why, address: '192.0.2.1', addressFrom: 'connection' }),
    lines: [['info', 'request refused', { endpoint, why, address: '192.0.2.1', addressFrom: 'connection' }]],
    moves: { [`requests_refused_total{endpoint="${endpoint}",why="${why}"}`]: 1 },
  })),
);

/** What can be wrong in a request, besides its body and itself. */
const FIELDS: Readonly<Record<string, readonly string[]>> = {
  'incoming-call': ['sip_user_id', 'phonenumber', 'caller_id', 'call_id'],
  'call-cancelled': ['call_id', 'reason'],
  'call-response': ['unique_key', 'message_start_time', 'available'],
  'hangup-reason': ['sip_user_id', 'unique_key', 'reason'],
  'log-metrics': ['sip_user_id'],
  'check-in': ['sip_user_id'],
  'apns-device': ['sip_user_id', 'token', 'app'],
  'gcm-device': ['sip_user_id', 'token', 'app'],
  'android-device': ['sip_user_id', 'token', 'app'],
  other: [],
};

testEvents(
  'a request that is invalid',
  Object.entries(FIELDS).flatMap(([endpoint, fields]) =>
    ['request', 'body', ...fields].map((field) => ({
      name: `${endpoint}: ${field}`,
      happens: ({ http }) => http.requestInvalid({ endpoint, field, problem: 'is required' }),
      lines: [['info', 'invalid request', { endpoint, field, problem: 'is required' }]],
      moves: { [`requests_invalid_total{endpoint="${endpoint}",field="${field}"}`]: 1 },
    })),
  ),
);

testEvents('a request that fails by a bug', [
  ...Object.keys(FIELDS).map(
    (endpoint): EventRow => ({
      name: endpoint,
      happens: ({ http }) => http.requestFailed({ endpoint, error: BUG }),
      lines: [['error', 'request failed by a fault of this service', { endpoint }, BUG]],
      moves: { [`requests_failed_total{endpoint="${endpoint}"}`]: 1 },
    }),
  ),
]);

it('no other series of requests are shown', async (t) => {
  const { telemetry } = await recordedTelemetry(t);
  const shown = parseSeries(await telemetry.readMetrics()).filter(({ name }) => /_requests_/.test(name));
  const invalid = Object.values(FIELDS).flatMap((fields) => ['request', 'body', ...fields]);
  assert.equal(shown.length, REFUSALS.length + invalid.length + Object.keys(FIELDS).length);
});

testEvents('an answer', [
  {
    name: 'to the PBX: how long it took',
    happens: ({ http }) => http.pbxAnswered({ delayMs: 4 }),
    lines: [],
    moves: { pbx_answer_delay_seconds_count: 1, pbx_answer_delay_seconds_sum: 0.004 },
  },
  ...(['missing', 'wrong'] as const).flatMap((proof): EventRow[] => [
    {
      name: `without its proof, refused: ${proof}`,
      happens: ({ http }) => http.answerUnproven({ uniqueKey: 'key', proof, refused: true }),
      lines: [['info', 'app answered: unproven', { call: 'key', proof }]],
      moves: { [`answers_unproven_total{proof="${proof}"}`]: 1, 'answers_total{fate="unproven"}': 1 },
    },
    {
      name: `without its proof, looked for: ${proof}`,
      happens: ({ http }) => http.answerUnproven({ uniqueKey: 'key', proof, refused: false }),
      lines: [['info', 'app answered without its proof', { call: 'key', proof }]],
      moves: { [`answers_unproven_total{proof="${proof}"}`]: 1 },
    },
  ]),
]);

testEvents('the database and the platform API', [
  {
    name: 'the database is gone: a condition that lasts, in one line',
    happens: ({ http }) => {
      for (const _ of [1, 2]) http.storageFailed({ during: 'a check-in', error: GONE });
    },
    lines: [['error', 'the database could not be asked', { during: 'a check-in', error: GONE_WORDS }]],
    moves: { storage_failures_total: 2 },
  },
  {
    name: 'the database fails by a bug: each time, with its stack',
    happens: ({ calls }) => {
      for (const _ of [1, 2]) calls.storageFailed({ during: 'a call', error: BUG });
    },
    lines: [
      ['error', 'the database could not be asked', { during: 'a call' }, BUG],
      ['error', 'the database could not be asked', { during: 'a call' }, BUG],
    ],
    moves: { storage_failures_total: 2 },
  },
  ...[
    'too-many-questions',
    'timeout',
    'unreachable',
    'status-2xx',
    'status-3xx',
    'status-4xx',
    'status-5xx',
    'profile-without-app-account',
    'app-account-is-no-path',
    'account-without-account-id',
  ].map(
    (reason): EventRow => ({
      name: `the platform gives no verdict: ${reason}`,
      happens: ({ http }) => http.platformFailed({ reason }),
      lines: [['warn', 'the platform API gave no verdict', { reason }]],
      moves: { [`platform_api_failures_total{reason="${reason}"}`]: 1 },
    }),
  ),
  {
    name: 'each reason is a condition of its own; one with a bug is an error',
    happens: ({ http }) => {
      http.platformFailed({ reason: 'timeout' });
      http.platformFailed({ reason: 'timeout' });
      http.platformFailed({ reason: 'unreachable', error: BUG });
    },
    lines: [
      ['warn', 'the platform API gave no verdict', { reason: 'timeout' }],
      ['error', 'the platform API gave no verdict', { reason: 'unreachable' }, BUG],
    ],
    moves: {
      'platform_api_failures_total{reason="timeout"}': 2,
      'platform_api_failures_total{reason="unreachable"}': 1,
    },
  },
  {
    name: 'a platform that is unreachable is a warning',
    happens: ({ http }) =>
      http.platformFailed({
        reason: 'unreachable',
        error: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
      }),
    lines: [
      [
        'warn',
        'the platform API gave no verdict',
        { reason: 'unreachable', error: 'Error: connect (ECONNREFUSED)' },
      ],
    ],
    moves: { 'platform_api_failures_total{reason="unreachable"}': 1 },
  },
]);

testEvents('a phone', [
  ...(
    [
      ['apns', true, 'phone registered', 'created'],
      ['gcm', false, 'phone registered again', 'updated'],
      ['android', true, 'phone registered', 'created'],
    ] as const
  ).map(
    ([platform, created, message, result]): EventRow => ({
      name: `that registers: ${platform} ${result}`,
      happens: ({ http }) => http.deviceRegistered({ ...DEVICE, platform, created, takeover: !created }),
      lines: [['info', message, { ...DEVICE, platform, takeover: !created }]],
      moves: { [`registrations_total{platform="${platform}",result="${result}"}`]: 1 },
    }),
  ),
  ...(
    [
      [true, 'phone unregistered', 'removed'],
      [false, 'no such phone to unregister', 'not-found'],
    ] as const
  ).map(
    ([found, message, result]): EventRow => ({
      name: `that unregisters: ${result}`,
      happens: ({ http }) => http.deviceUnregistered({ ...DEVICE, found }),
      lines: [['info', message, DEVICE]],
      moves: { [`registrations_total{platform="android",result="${result}"}`]: 1 },
    }),
  ),
  {
    name: 'that reports why it could not take a call',
    happens: ({ http }) => http.hangupReported({ account: 123_456_789, uniqueKey: 'key', reason: 'busy' }),
    lines: [['info', 'app could not take the call', { call: 'key', account: 123_456_789, reason: 'busy' }]],
    moves: {},
  },
]);

const ODD = { app: APP, clientVersion: '6.1', shape: 'fcm' } as const;
function oddLine(fields: LogFields): Line {
  return [
    'warn',
    'iPhones with this version of the app register push tokens that are not hexadecimal, or of another length: Apple refuses them, and no call rings',
    { ...ODD, ...fields },
  ];
}
function oddTokens(count: number, shape = 'fcm') {
  return {
    [series('ios_tokens_odd_total', { app: APP, shape })]: count,
  };
}

testEvents('an odd push token of an iPhone', [
  ...ODD_TOKEN_SHAPES.map(
    (shape): EventRow => ({
      name: `is counted by its shape: ${shape}`,
      happens: ({ http }) => http.iosTokenOdd({ ...ODD, shape }),
      lines: [oddLine({ shape })],
      moves: oddTokens(1, shape),
    }),
  ),
  {
    name: 'is counted each time, and logged once for each version of each app',
    happens: ({ http }) => {
      for (const clientVersion of ['6.1', '6.1', '6.2', '6.1']) http.iosTokenOdd({ ...ODD, clientVersion });
      for (const _ of [1, 2]) http.iosTokenOdd({ ...ODD, app: 'other.app' });
    },
    lines: [oddLine({}), oddLine({ clientVersion: '6.2' }), oddLine({ app: 'other.app' })],
    moves: { ...oddTokens(4), [series('ios_tokens_odd_total', { app: 'other.app', shape: 'fcm' })]: 2 },
    begins: true,
  },
  {
    name: 'of an app without a version, or with a text that is too long for one',
    happens: ({ http }) => {
      for (const clientVersion of ['v'.repeat(40), null, 'v'.repeat(41)])
        http.iosTokenOdd({ ...ODD, clientVersion });
    },
    lines: [oddLine({ clientVersion: 'v'.repeat(40) }), oddLine({ clientVersion: '' })],
    moves: oddTokens(3),
  },
]);

it('of 200 versions of apps at most it is logged that their push tokens are odd', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const { telemetry, lines, moves } = await recordedTelemetry(t);
  let logged = 0;
  for (let version = 0; version < 250; version += 1) {
    telemetry.http.iosTokenOdd({ ...ODD, clientVersion: String(version) });
    logged += lines().length;
    t.mock.timers.tick(10_000);
  }
  assert.equal(logged, 200);
  assert.deepEqual(await moves(), oddTokens(250));
});
