import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Platform } from '../../src/apps/platform.ts';
import { Call } from '../../src/calls/call.ts';
import type { CallOutcome } from '../../src/calls/call-outcome.ts';
import type { LogLevel } from '../../src/telemetry/log.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';
import { APP, type EventRow, NOW, recordedTelemetry, testEvents } from './recorded.ts';

const ACCOUNT = 123_456_789;

/** A call that was asked 1,500 ms ago; what else happened to it is told. */
function call(
  happened: Partial<Call> & { readonly platform?: Platform; readonly callId?: string } = {},
): Call {
  const { platform = 'android', callId, ...more } = happened;
  const made = new Call({
    ask: { askedAt: NOW - 1_500, account: ACCOUNT, callId, phoneNumber: '1', callerId: '' },
    device: makeDevice({ appId: APP, platform }),
    uniqueKey: 'key',
    answersToCallId: false,
    waitMs: 4_000,
    leave: () => {},
  });
  return Object.assign(made, { attempts: 1, ...more });
}

const FIELDS = { call: 'key', account: ACCOUNT, app: APP, platform: 'android', pushes: 1, tookMs: 1_500 };
const ASKED = { 'incoming_call_success_total{action="Received",os="Middleware"}': 1 };
function ended(outcome: CallOutcome, platform: Platform = 'android') {
  return {
    [`calls_total{app="${APP}",outcome="${outcome}",platform="${platform}"}`]: 1,
    [`request_answer_seconds_count{outcome="${outcome}"}`]: 1,
    [`request_answer_seconds_sum{outcome="${outcome}"}`]: 1.5,
  };
}

/** How loudly each outcome is logged: `warn` is what an operator should look into. */
const LEVELS: Readonly<Record<CallOutcome, LogLevel>> = {
  ready: 'info',
  declined: 'info',
  'timed-out': 'info',
  'no-device': 'info',
  'token-gone': 'info',
  'push-failed': 'warn',
  'provider-down': 'warn',
  'push-overloaded': 'warn',
  overloaded: 'warn',
  cancelled: 'info',
  'caller-gone': 'info',
  'shutting-down': 'warn',
  'storage-unavailable': 'warn',
  'bus-unavailable': 'warn',
};

/** Outcomes that the legacy service counted, and its words for them. */
const FAILED: Partial<Record<CallOutcome, string>> = {
  declined: 'Device not available',
  'timed-out': 'Unable to get response from phone',
};

const OUTCOMES = Object.entries(LEVELS) as readonly [CallOutcome, LogLevel][];

testEvents('a call that ended', [
  {
    name: 'ready: how long each step took',
    happens: ({ calls }) => {
      const steps = { pushedAt: NOW - 1_400, pushAcceptedAt: NOW - 1_250, answeredAt: NOW - 400 };
      calls.callEnded(call({ platform: 'apns', attempts: 2, ...steps }), { outcome: 'ready', reason: null });
    },
    lines: [
      [
        'info',
        'call ended: ready',
        { ...FIELDS, platform: 'apns', outcome: 'ready', pushes: 2, pushAcceptedMs: 250, answeredMs: 1_100 },
      ],
    ],
    moves: {
      ...ended('ready', 'apns'),
      ...ASKED,
      'push_answer_seconds_count{platform="apns"}': 1,
      'push_answer_seconds_sum{platform="apns"}': 1,
      'push_notification_success_total{direction="Incoming",os="apns"}': 1,
    },
  },
  {
    name: 'ready before its push was begun: no time from push to answer',
    happens: ({ calls }) =>
      calls.callEnded(call({ attempts: 0, answeredAt: NOW }), { outcome: 'ready', reason: null }),
    lines: [['info', 'call ended: ready', { ...FIELDS, outcome: 'ready', pushes: 0, answeredMs: 1_500 }]],
    moves: {
      ...ended('ready'),
      ...ASKED,
      'push_notification_success_total{direction="Incoming",os="android"}': 1,
    },
  },
  {
    name: 'that the PBX names otherwise than the push: by both names, and with a reason',
    happens: ({ calls }) =>
      calls.callEnded(call({ callId: 'pbx-1' }), { outcome: 'cancelled', reason: 'hung up' }),
    lines: [
      [
        'info',
        'call ended: cancelled',
        { ...FIELDS, callId: 'pbx-1', outcome: 'cancelled', reason: 'hung up' },
      ],
    ],
    moves: { ...ended('cancelled'), ...ASKED },
  },
  {
    name: 'that the PBX names as the push does: by one name',
    happens: ({ calls }) => calls.callEnded(call({ callId: 'key' }), { outcome: 'cancelled', reason: null }),
    lines: [['info', 'call ended: cancelled', { ...FIELDS, outcome: 'cancelled' }]],
    moves: { ...ended('cancelled'), ...ASKED },
  },
  {
    name: 'joined: the instance that woke the phone counts it',
    happens: ({ calls }) => calls.callEnded(call({ joined: true }), { outcome: 'declined', reason: null }),
    lines: [['info', 'call joined: declined', { ...FIELDS, outcome: 'declined' }]],
    moves: { 'calls_repeated_total{found="elsewhere"}': 1 },
  },
  ...OUTCOMES.filter(([outcome]) => outcome !== 'ready').map(
    ([outcome, level]): EventRow => ({
      name: `${outcome}: ${level}`,
      happens: ({ calls }) => calls.callEnded(call(), { outcome, reason: null }),
      lines: [[level, `call ended: ${outcome}`, { ...FIELDS, outcome }]],
      moves: {
        ...ended(outcome),
        ...ASKED,
        ...(FAILED[outcome] === undefined
          ? {}
          : {
              [`push_notification_failed_total{direction="Incoming",os="android",failed_reason="${FAILED[outcome]}"}`]: 1,
            }),
      },
    }),
  ),
]);

testEvents(
  'a call that was turned away',
  OUTCOMES.map(([outcome, level]) => ({
    name: `${outcome}: ${level}`,
    happens: ({ calls }) =>
      calls.callTurnedAway({ account: ACCOUNT, callId: 'pbx-1', ending: { outcome, reason: 'full' } }),
    lines: [
      [level, `call turned away: ${outcome}`, { call: 'pbx-1', account: ACCOUNT, outcome, reason: 'full' }],
    ],
    moves: {
      [`calls_total{app="none",outcome="${outcome}",platform="none"}`]: 1,
      ...(outcome === 'no-device'
        ? {
            'incoming_call_failed_total{action="Received",failed_reason="failed no sip_user_id",os="Middleware"}': 1,
          }
        : {}),
    },
  })),
);

testEvents('what else happens to calls', [
  ...(['waiting', 'answered'] as const).map(
    (found): EventRow => ({
      name: `asked again: ${found}`,
      happens: ({ calls }) => calls.callRepeated({ account: ACCOUNT, callId: 'pbx-1', found }),
      lines: [['info', 'call asked again', { call: 'pbx-1', account: ACCOUNT, found }]],
      moves: { [`calls_repeated_total{found="${found}"}`]: 1 },
    }),
  ),
  ...(
    [
      ['taken', 'info'],
      ['late', 'info'],
      ['undecided', 'info'],
      ['duplicate', 'debug'],
      ['unknown', 'debug'],
    ] as const
  ).map(
    ([fate, level]): EventRow => ({
      name: `answered: ${fate}`,
      happens: ({ calls }) => calls.answerCame({ uniqueKey: 'key', available: false, fate }),
      lines: [[level, `app answered: ${fate}`, { call: 'key', available: false, fate }]],
      moves: { [`answers_total{fate="${fate}"}`]: 1 },
    }),
  ),
]);

describe('a flood of calls and answers', () => {
  const MANY = 310;

  it('turned away: 300 lines of each outcome, and every one of an account without a device', async (t) => {
    const { telemetry, lines, moves } = await recordedTelemetry(t);
    for (let times = 0; times < MANY; times += 1) {
      for (const outcome of ['overloaded', 'storage-unavailable', 'no-device'] as const)
        telemetry.calls.callTurnedAway({
          account: ACCOUNT,
          callId: undefined,
          ending: { outcome, reason: null },
        });
    }
    const counts = Object.groupBy(lines(), ([, message]) => message);
    assert.deepEqual(
      Object.entries(counts).map(([message, each]) => [message, each?.length]),
      [
        ['call turned away: overloaded', 300],
        ['call turned away: storage-unavailable', 300],
        ['call turned away: no-device', MANY],
      ],
    );
    assert.equal((await moves())['calls_total{app="none",outcome="overloaded",platform="none"}'], MANY);
    await telemetry.close();
    assert.deepEqual(
      lines().map(([level, message, { leftOut }]) => [level, message, leftOut]),
      ['overloaded', 'storage-unavailable'].map((outcome) => [
        'warn',
        `more lines like "call turned away: ${outcome}" were left out`,
        10,
      ]),
    );
  });

  it('answered: 300 lines of each fate, and every one that was taken', async (t) => {
    const { telemetry, lines, moves } = await recordedTelemetry(t);
    for (let times = 0; times < MANY; times += 1) {
      for (const fate of ['taken', 'late', 'duplicate'] as const)
        telemetry.calls.answerCame({ uniqueKey: 'key', available: true, fate });
    }
    const counts = Object.groupBy(lines(), ([, message]) => message);
    assert.deepEqual(
      Object.entries(counts).map(([message, each]) => [message, each?.length]),
      [
        ['app answered: taken', MANY],
        ['app answered: late', 300],
        ['app answered: duplicate', 300],
      ],
    );
    assert.equal((await moves())['answers_total{fate="late"}'], MANY);
  });
});
