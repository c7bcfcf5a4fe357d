import type { Call } from '../../calls/call.ts';
import type { CallEnding } from '../../calls/call-outcome.ts';
import type { WaitingRoom } from '../../calls/waiting-room.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { CallStore } from './call-store.ts';
import type { ClaimReply } from './call-store-replies.ts';
import type { LocalCall, LocalCalls } from './local-calls.ts';
import type { OwnerWatch } from './owner-watch.ts';

/** What claiming works with. */
export interface ClaimDeps {
  readonly store: Pick<CallStore, 'claim'>;
  readonly room: Pick<WaitingRoom, 'rekey' | 'newKey'>;
  readonly localCalls: Pick<LocalCalls, 'untold'>;
  readonly owners: Pick<OwnerWatch, 'watch'>;
  /** Calls that Redis did not confirm are refused, instead of being waited for by this instance alone. */
  readonly required: boolean;
  /** Ends a call that was found to have ended in Redis. */
  readonly decide: (call: Call, ending: CallEnding) => void;
  /** The time of a call that was joined is over. */
  readonly expire: (call: Call) => void;
}

/**
 * Makes a call known when it begins, or joins it where another instance knows it. Wakes the device where that is to be
 * done from here. A call that this rejects for has ended.
 */
export async function claimCall(deps: ClaimDeps, local: LocalCall): Promise<void> {
  const { call } = local;
  try {
    const reply = await ask(deps, local);
    if (!call.isOver()) claimed(deps, local, reply);
  } catch (error) {
    // Nothing else would end it: what sets its timer has failed.
    call.settle('push-failed');
    throw error;
  }
}

async function ask({ store, room }: ClaimDeps, local: LocalCall): Promise<ClaimReply | undefined> {
  const { call } = local;
  const reply = await store.claim(local);
  if (reply?.kind !== 'rekey' || call.isOver()) return reply;
  room.rekey(call, room.newKey(), false);
  return store.claim(local);
}

function claimed(deps: ClaimDeps, local: LocalCall, reply: ClaimReply | undefined): void {
  const { call } = local;
  const { owners, decide, expire } = deps;
  switch (reply?.kind) {
    case 'ours':
      adopt(deps, local, reply);
      local.wake();
      break;
    case 'shared':
      adopt(deps, local, reply);
      call.deadline = Math.min(call.deadline, monotonic() + reply.leftMs);
      call.timer = setTimeout(() => expire(call), call.deadline - monotonic());
      owners.watch(local, reply.owner);
      break;
    case 'decided':
      call.joined = true;
      decide(call, reply.ending);
      break;
    case 'crowded':
      call.settle('overloaded', 'too many instances wait for this call');
      break;
    case 'rekey':
    case undefined:
      goAlone(deps, local);
      break;
    default:
      reply satisfies never;
  }
}

/** Takes up the call as Redis knows it, be it by another key. */
function adopt(
  deps: ClaimDeps,
  local: LocalCall,
  { uniqueKey, turn, pointed }: Extract<ClaimReply, { uniqueKey: string }>,
): void {
  const { call } = local;
  local.confirmed = true;
  local.turn = turn;
  if (!pointed) deps.localCalls.untold(local);
  if (uniqueKey !== call.uniqueKey) deps.room.rekey(call, uniqueKey, call.answersToCallId);
}

function goAlone(deps: ClaimDeps, local: LocalCall): void {
  if (deps.required) {
    local.call.settle('bus-unavailable');
    return;
  }
  deps.localCalls.untold(local);
  local.wake();
}
