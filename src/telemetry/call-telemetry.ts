import type { Call } from '../calls/call.ts';
import type { CallEvents } from '../calls/call-events.ts';
import type { CallEnding, CallOutcome } from '../calls/call-outcome.ts';
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

/** What the reference called the failures that it counted; the others it did not count here. */
const REFERENCE_FAILURES: Partial<Record<CallOutcome, string>> = {
  declined: 'Device not available',
  'timed-out': 'Unable to get response from phone',
};

/** Log line and metric of everything that happens to a call. */
export function createCallTelemetry(
  log: Log,
  metrics: ServiceMetrics,
  reference: ReferenceMetrics,
): Omit<CallEvents, 'storageFailed'> {
  return {
    callEnded: (call, ending) => {
      const took = secondsBetween(call.askedAt, performance.now());
      // The instance that woke the phone counts the call.
      if (call.joined) {
        metrics.callsRepeated.inc({ found: 'elsewhere' });
        log.write('info', `call joined: ${ending.outcome}`, endedFields(call, ending, took));
        return;
      }
      metrics.calls.inc({ outcome: ending.outcome, platform: call.device.platform });
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
      metrics.calls.inc({ outcome: ending.outcome, platform: 'none' });
      if (ending.outcome === 'no-device') {
        reference.incomingCallFailed.inc({
          action: 'Received',
          failed_reason: 'failed no sip_user_id',
          os: 'Middleware',
        });
      }
      log.write(OUTCOME_LEVELS[ending.outcome], `call turned away: ${ending.outcome}`, {
        call: callId,
        account,
        outcome: ending.outcome,
        reason: ending.reason ?? undefined,
      });
    },
    callRepeated: ({ account, callId, found }) => {
      metrics.callsRepeated.inc({ found });
      log.write('info', 'call asked again', { call: callId, account, found });
    },
    answerCame: ({ uniqueKey, available, fate }) => {
      metrics.answers.inc({ fate });
      // Answers to keys that nobody waits for can be sent by anyone, so they are only counted by default.
      log.write(fate === 'unknown' || fate === 'duplicate' ? 'debug' : 'info', `app answered: ${fate}`, {
        call: uniqueKey,
        available,
        fate,
      });
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
