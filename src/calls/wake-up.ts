import { monotonic } from '../lib/monotonic.ts';
import { newPushId } from '../lib/push-id.ts';
import type { PushRequest } from '../push/push-provider.ts';
import type { PushResult } from '../push/push-result.ts';
import type { AnswerBus } from './answer-bus.ts';
import type { Call } from './call.ts';
import type { CallOutcome } from './call-outcome.ts';

/** The part of the push sender that a call needs. */
export interface CallPusher {
  /** Never rejects; ends by the request's deadline. */
  send(request: PushRequest): Promise<PushResult>;
}

/** When and with what a phone is woken. */
export interface WakePlan {
  /** Milliseconds between two pushes of a call. */
  readonly resendMs: number;
  /** Pushes of a call at most, the first included. */
  readonly maxAttempts: number;
  /** Absolute URL that the app answers to, for the call with this key. */
  readonly responseApiFor: (uniqueKey: string) => string;
}

/**
 * The reference's schedule: `floor(wait / resend) - 1` pushes, so that none goes out when too little time is left
 * for the phone to start; at least one.
 */
export function attemptsFor(waitMs: number, resendMs: number): number {
  return Math.max(1, Math.floor(waitMs / resendMs) - 1);
}

/**
 * Pushes now and again at each resend interval until the call is over. The call ends here when nobody can answer it
 * any more: no push was taken, none is under way. `push_profile=once` asks for exactly one push.
 */
export function wakePhone(
  call: Call,
  pusher: CallPusher,
  plan: WakePlan,
  bus: Pick<AnswerBus, 'expire'>,
): void {
  const maxAttempts = call.device.pushProfile === 'once' ? 1 : plan.maxAttempts;
  const schedule: WakePlan = { ...plan, maxAttempts };
  pushOnce(call, pusher, schedule);
  scheduleNext(call, pusher, schedule, () => giveUp(call, bus));
}

/** Arms the call's one timer: for the next push while there is one, else for the deadline. */
function scheduleNext(call: Call, pusher: CallPusher, plan: WakePlan, atDeadline: () => void): void {
  if (call.isOver()) return;
  const resendAt = (call.pushedAt ?? call.askedAt) + call.attempts * plan.resendMs;
  if (call.resendsStopped || call.attempts >= plan.maxAttempts || resendAt >= call.deadline) {
    call.timer = setTimeout(atDeadline, Math.max(0, call.deadline - monotonic()));
    return;
  }
  call.timer = setTimeout(
    () => {
      if (!call.resendsStopped) pushOnce(call, pusher, plan);
      scheduleNext(call, pusher, plan, atDeadline);
    },
    Math.max(0, resendAt - monotonic()),
  );
}

/** The deadline: a phone that was reached did not answer, or none was reached at all. */
function giveUp(call: Call, bus: Pick<AnswerBus, 'expire'>): void {
  if (call.pushAcceptedAt === undefined)
    bus.expire(call, 'push-failed', 'no answer from the push service in time');
  else bus.expire(call, 'timed-out');
}

function pushOnce(call: Call, pusher: CallPusher, plan: WakePlan): void {
  call.pushedAt ??= monotonic();
  call.attempts += 1;
  call.pushesInFlight += 1;
  const request: PushRequest = {
    id: newPushId(),
    device: call.device,
    message: {
      kind: 'call',
      uniqueKey: call.uniqueKey,
      phoneNumber: call.ask.phoneNumber,
      callerId: call.ask.callerId,
      responseApi: plan.responseApiFor(call.uniqueKey),
      messageStartTime: Date.now() / 1000,
      attempt: call.attempts,
    },
    deadline: call.deadline,
    wanted: () => !call.isOver(),
  };
  pusher.send(request).then(
    (result) => pushEnded(call, result),
    (error: unknown) =>
      pushEnded(call, { kind: 'failed', reason: error instanceof Error ? error.name : 'Other' }),
  );
}

function pushEnded(call: Call, result: PushResult): void {
  call.pushesInFlight -= 1;
  if (result.kind === 'accepted') {
    call.pushAcceptedAt ??= monotonic();
    if (result.sandbox !== undefined) call.device = { ...call.device, sandbox: result.sandbox };
    return;
  }
  if (result.kind === 'token-gone') call.resendsStopped = true;
  const somebodyMayAnswer = call.pushAcceptedAt !== undefined || call.pushesInFlight > 0;
  if (!somebodyMayAnswer) call.settle(outcomeOf(result.kind), result.reason);
}

function outcomeOf(kind: Exclude<PushResult['kind'], 'accepted'>): CallOutcome {
  switch (kind) {
    case 'token-gone':
      return 'token-gone';
    case 'failed':
      return 'push-failed';
    case 'provider-down':
      return 'provider-down';
    case 'overloaded':
      return 'push-overloaded';
    case 'withdrawn':
      return 'push-failed';
    default:
      return kind satisfies never;
  }
}
