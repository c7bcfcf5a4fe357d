import type { AnswerFate } from '../calls/answer-bus.ts';
import type { Call } from '../calls/call.ts';
import type { CallEvents } from '../calls/call-events.ts';
import type { CallEnding, CallOutcome } from '../calls/call-outcome.ts';
import type { AppLabel } from './app-label.ts';
import type { LineBudget } from './line-budget.ts';
import type { Log, LogLevel } from './log.ts';
import type { ReferenceMetrics } from './reference-metrics.ts';
import type { ServiceMetrics } from './service-metrics.ts';

/** How loudly each ending is logged: `warn` is what an operator should look into. */
const OUTCOME_LEVELS = {
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
} as const satisfies Record<CallOutcome, LogLevel>;

/**
 * How loudly each fate of an answer is logged. Answers to keys that nobody waits for are only counted by default. Anybody
 * who ever got a push, or guesses, can send as many of these as he likes: all but `taken` are bounded.
 */
const FATE_LEVELS = {
  taken: 'info',
  late: 'info',
  undecided: 'info',
  duplicate: 'debug',
  unknown: 'debug',
} as const satisfies Record<AnswerFate, LogLevel>;

/** Lines a minute for each of them: an operator looks for single answers that came too late. */
const LINES_OF_A_FATE = 300;

/** Lines a minute for calls turned away with each outcome that an outage or an overload brings to all of them. */
const LINES_TURNED_AWAY = 300;

/** What the reference called the failures that it counted; the others it did not count here. */
const REFERENCE_FAILURES: Partial<Record<CallOutcome, string>> = {
  declined: 'Device not available',
  'timed-out': 'Unable to get response from phone',
};

/** Log line and metric of everything that happens to a call. */
export function createCallTelemetry(deps: {
  readonly log: Log;
  readonly metrics: ServiceMetrics;
  readonly reference: ReferenceMetrics;
  readonly lines: LineBudget;
  readonly appLabel: AppLabel;
}): Omit<CallEvents, 'storageFailed'> {
  const { log, metrics, reference, lines, appLabel } = deps;
  return {
    callEnded: (call, ending) => {
      const took = secondsBetween(call.askedAt, performance.now());
      // The instance that woke the phone counts the call.
      if (call.joined) {
        metrics.callsRepeated.inc({ found: 'elsewhere' });
        log.write('info', `call joined: ${ending.outcome}`, endedFields(call, ending, took));
        return;
      }
      const { appId, platform } = call.device;
      metrics.calls.inc({ app: appLabel(appId), outcome: ending.outcome, platform });
      metrics.requestAnswer.observe({ outcome: ending.outcome }, took);
      if (call.pushedAt !== undefined && call.answeredAt !== undefined) {
        metrics.pushAnswer.observe(
          { platform: call.device.platform },
          secondsBetween(call.pushedAt, call.answeredAt),
        );
      }
      countForReference(reference, call, ending);
      log.write(
        OUTCOME_LEVELS[ending.outcome],
        `call ended: ${ending.outcome}`,
        endedFields(call, ending, took),
      );
    },
    callTurnedAway: ({ account, callId, ending }) => {
      metrics.calls.inc({ app: 'none', outcome: ending.outcome, platform: 'none' });
      if (ending.outcome === 'no-device') {
        reference.incomingCallFailed.inc({
          action: 'Received',
          failed_reason: 'failed no sip_user_id',
          os: 'Middleware',
        });
      }
      const message = `call turned away: ${ending.outcome}`;
      const level = OUTCOME_LEVELS[ending.outcome];
      const fields = {
        call: callId,
        account,
        outcome: ending.outcome,
        reason: ending.reason ?? undefined,
      };
      // Why this one phone did not ring: whoever is asked finds the line.
      if (ending.outcome === 'no-device') log.write(level, message, fields);
      else lines.write(message, level, message, fields, LINES_TURNED_AWAY);
    },
    callRepeated: ({ account, callId, found }) => {
      metrics.callsRepeated.inc({ found });
      log.write('info', 'call asked again', { call: callId, account, found });
    },
    answerCame: ({ uniqueKey, available, fate }) => {
      metrics.answers.inc({ fate });
      const fields = { call: uniqueKey, available, fate };
      const message = `app answered: ${fate}`;
      if (fate === 'taken') log.write(FATE_LEVELS[fate], message, fields);
      else lines.write(`answered ${fate}`, FATE_LEVELS[fate], message, fields, LINES_OF_A_FATE);
    },
  };
}

function endedFields(call: Call, ending: CallEnding, took: number) {
  return {
    call: call.uniqueKey,
    ...(call.ask.callId === undefined || call.ask.callId === call.uniqueKey
      ? {}
      : { callId: call.ask.callId }),
    account: call.ask.account,
    app: call.device.appId,
    platform: call.device.platform,
    outcome: ending.outcome,
    reason: ending.reason ?? undefined,
    pushes: call.attempts,
    pushAcceptedMs: millisecondsSince(call, call.pushAcceptedAt),
    answeredMs: millisecondsSince(call, call.answeredAt),
    tookMs: Math.round(took * 1000),
  };
}

function countForReference(reference: ReferenceMetrics, call: Call, ending: CallEnding): void {
  const os = call.device.platform;
  reference.incomingCallSuccess.inc({ action: 'Received', os: 'Middleware' });
  if (ending.outcome === 'ready') reference.pushSuccess.inc({ direction: 'Incoming', os });
  const failure = REFERENCE_FAILURES[ending.outcome];
  if (failure !== undefined) reference.pushFailed.inc({ direction: 'Incoming', os, failed_reason: failure });
}

function secondsBetween(from: number, to: number): number {
  return Math.max(0, to - from) / 1000;
}

function millisecondsSince(call: Call, moment: number | undefined): number | undefined {
  return moment === undefined ? undefined : Math.round(moment - call.askedAt);
}
