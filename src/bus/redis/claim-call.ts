import type { Call } from '../../calls/call.ts';
import type { CallEnding } from '../../calls/call-outcome.ts';
import type { WaitingRoom } from '../../calls/waiting-room.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { CallRegister } from './call-store.ts';
import type { ClaimReply } from './call-store-replies.ts';
import type { HeldCall, HeldCalls } from './local-calls.ts';
import type { OwnerWatch } from './owner-watch.ts';

/** What claiming works with. */
export interface ClaimParts {
  readonly register: Pick<CallRegister, 'claim'>;
  readonly room: Pick<WaitingRoom, 'rekey' | 'newKey'>;
  readonly held: Pick<HeldCalls, 'untold'>;
  readonly owners: Pick<OwnerWatch, 'watch'>;
  /** Calls that Redis did not confirm are refused, instead of being waited for by this instance alone. */
  readonly required: boolean;
  /** Ends a call that was found to have ended in Redis. */
  readonly decide: (call: Call, ending: CallEnding) => void;
  /** The time of a call that was joined is over. */
  readonly expire: (call: Call) => void;
}

/** Makes a call known when it begins, or joins it where another instance knows it. */
export class Claims {
  readonly #parts: ClaimParts;

  constructor(parts: ClaimParts) {
    this.#parts = parts;
  }

  /** Has the phone woken where that is to be done from here. A call that this throws for has ended. */
  async claim(held: HeldCall): Promise<void> {
    const { call } = held;
    try {
      const reply = await this.#ask(held);
      if (!call.isOver()) this.#claimed(held, reply);
    } catch (error) {
      // Nothing else would end it: what sets its timer has failed.
      call.settle('push-failed');
      throw error;
    }
  }

  async #ask(held: HeldCall): Promise<ClaimReply | undefined> {
    const { register, room } = this.#parts;
    const { call } = held;
    const reply = await register.claim(held);
    if (reply?.kind !== 'rekey' || call.isOver()) return reply;
    room.rekey(call, room.newKey(), false);
    return register.claim(held);
  }

  #claimed(held: HeldCall, reply: ClaimReply | undefined): void {
    const { call } = held;
    const { owners, decide, expire } = this.#parts;
    switch (reply?.kind) {
      case 'ours':
        this.#adopt(held, reply);
        held.wake();
        break;
      case 'shared':
        this.#adopt(held, reply);
        call.deadline = Math.min(call.deadline, monotonic() + reply.leftMs);
        call.timer = setTimeout(() => expire(call), call.deadline - monotonic());
        owners.watch(held, reply.owner);
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
        this.#goAlone(held);
        break;
      default:
        reply satisfies never;
    }
  }

  /** Takes up the call as Redis knows it, be it by another key. */
  #adopt(held: HeldCall, { uniqueKey, turn, pointed }: Extract<ClaimReply, { uniqueKey: string }>): void {
    const { call } = held;
    held.confirmed = true;
    held.turn = turn;
    if (!pointed) this.#parts.held.untold(held);
    if (uniqueKey !== call.uniqueKey) this.#parts.room.rekey(call, uniqueKey, call.answersToCallId);
  }

  #goAlone(held: HeldCall): void {
    if (this.#parts.required) {
      held.call.settle('bus-unavailable');
      return;
    }
    this.#parts.held.untold(held);
    held.wake();
  }
}
