import type { PushTarget } from '../devices/device.ts';
import type { Admission } from './admission.ts';
import type { AnswerBus } from './answer-bus.ts';
import type { Call, CallAsk } from './call.ts';
import type { CallEvents } from './call-events.ts';
import type { CallEnding, CallOutcome } from './call-outcome.ts';
import type { Repeat, WaitingRoom } from './waiting-room.ts';
import { type CallPusher, type WakePlan, wakePhone } from './wake-up.ts';

/** The PBX's side of a held request: whoever holds it says when the PBX has dropped it. */
export interface Caller {
  gone: boolean;
  onGone: (() => void) | undefined;
}

/** What the story needs. */
export interface CallDeps {
  readonly admission: Admission;
  readonly room: WaitingRoom;
  readonly bus: Pick<AnswerBus, 'claim' | 'expire' | 'release' | 'refusal'>;
  readonly pusher: CallPusher;
  readonly plan: WakePlan;
  readonly events: CallEvents;
}

/** What the PBX is told, and when the app's word came (monotonic ms) if one did. */
export interface TakenCall {
  readonly ending: CallEnding;
  readonly uniqueKey: string | undefined;
  readonly answeredAt: number | undefined;
  /** Milliseconds from the PBX's request: the first accepted push, and the app's word. */
  readonly pushAcceptedAfterMs: number | undefined;
  readonly answeredAfterMs: number | undefined;
}

/**
 * The story of a call: which phone, listen (here and, through the bus, on every instance), wake it, wait for its word.
 * Resolves with how it ended, at the latest when the wait is over. The PBX's request arrives in `http/`, which also
 * carries the answer back.
 */
export async function takeCall(deps: CallDeps, ask: CallAsk, caller: Caller): Promise<TakenCall> {
  const { room } = deps;
  const repeat = repeatOf(room, ask);
  if (repeat !== undefined) return joinCall(deps, ask, caller, repeat);
  const full = deps.admission.refusal();
  if (full !== undefined) return turnAway(deps, ask, 'overloaded', full);

  const refused = deps.bus.refusal();
  if (refused !== undefined) return turnAway(deps, ask, refused);

  const { changes } = room;
  const found = await findDevice(deps, ask.account);
  if (found.kind !== 'device') return turnAway(deps, ask, found.outcome);
  if (caller.gone) return turnAway(deps, ask, 'caller-gone');

  const meanwhile = room.changes === changes ? undefined : repeatOf(room, ask);
  if (meanwhile !== undefined) return joinCall(deps, ask, caller, meanwhile);

  const entry = room.enter(ask, found.device);
  if (entry.kind === 'refused') return turnAway(deps, ask, entry.outcome);

  deps.bus.claim(entry.call, () => wakePhone(entry.call, deps.pusher, deps.plan, deps.bus));
  const taken = await waitWith(room, caller, entry.call);
  deps.bus.release(entry.call);
  deps.events.callEnded(entry.call, taken.ending);
  return taken;
}

function repeatOf(room: WaitingRoom, { callId, account }: CallAsk): Repeat | undefined {
  return callId === undefined ? undefined : room.findRepeat(callId, account);
}

type Found =
  | { readonly kind: 'device'; readonly device: PushTarget }
  | { readonly kind: 'none'; readonly outcome: CallOutcome };

async function findDevice(deps: CallDeps, account: number): Promise<Found> {
  try {
    const device = await deps.admission.find(account);
    return device === undefined ? { kind: 'none', outcome: 'no-device' } : { kind: 'device', device };
  } catch (error) {
    deps.events.storageFailed({ during: 'looking up the device of a call', error });
    return { kind: 'none', outcome: 'storage-unavailable' };
  }
}

async function joinCall(deps: CallDeps, ask: CallAsk, caller: Caller, repeat: Repeat): Promise<TakenCall> {
  const full = repeat.kind === 'waiting' ? deps.room.refusalToJoin(repeat.call) : undefined;
  if (full !== undefined) return turnAway(deps, ask, 'overloaded', full);
  deps.events.callRepeated({ account: ask.account, callId: ask.callId, found: repeat.kind });
  if (repeat.kind === 'answered') return endedAtOnce(repeat.ending);
  return waitWith(deps.room, caller, repeat.call);
}

/** Holds on until the call has ended. A PBX that hangs up leaves the call, also one that did so before it was here. */
async function waitWith(room: WaitingRoom, caller: Caller, call: Call): Promise<TakenCall> {
  room.callerCame(call);
  if (caller.gone) room.callerLeft(call);
  else caller.onGone = () => room.callerLeft(call);
  const ending = await call.ended;
  return {
    ending,
    uniqueKey: call.uniqueKey,
    answeredAt: call.answeredAt,
    pushAcceptedAfterMs: call.pushAcceptedAt === undefined ? undefined : call.pushAcceptedAt - call.askedAt,
    answeredAfterMs: call.answeredAt === undefined ? undefined : call.answeredAt - call.askedAt,
  };
}

function turnAway(
  deps: CallDeps,
  ask: CallAsk,
  outcome: CallOutcome,
  reason: string | null = null,
): TakenCall {
  const ending: CallEnding = { outcome, reason };
  deps.events.callTurnedAway({ account: ask.account, callId: ask.callId, ending });
  return endedAtOnce(ending);
}

function endedAtOnce(ending: CallEnding): TakenCall {
  return {
    ending,
    uniqueKey: undefined,
    answeredAt: undefined,
    pushAcceptedAfterMs: undefined,
    answeredAfterMs: undefined,
  };
}
