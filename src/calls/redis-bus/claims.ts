import { monotonic } from '../../lib/monotonic.ts';
import type { Call } from '../call.ts';
import type { CallEnding } from '../call-outcome.ts';
import type { WaitingRoom } from '../waiting-room.ts';
import type { CallRegister } from './call-register.ts';
import type { HeldCall, HeldCalls } from './held-calls.ts';
import type { OwnerWatch } from './owner-watch.ts';
import type { ClaimReply } from './register-replies.ts';

/** What claiming works with. */
export interface ClaimParts {
  readonly register: Pick<CallRegister, 'claim' | 'point'>;
  readonly room: Pick<WaitingRoom, 'rekey' | 'newKey'>;
  readonly held: Pick<HeldCalls, 'told' | 'untold'>;
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
      if (!call.isOver()) await this.#claimed(held, reply);
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

  async #claimed(held: HeldCall, reply: ClaimReply | undefined): Promise<void> {
    const { call } = held;
    const { owners, decide, expire } = this.#parts;
    switch (reply?.kind) {
      case 'ours': {
        const adopted = this.#adopt(held, reply);
        held.wake();
        return adopted;
      }
      case 'shared': {
        const adopted = this.#adopt(held, reply);
        call.deadline = Math.min(call.deadline, monotonic() + reply.leftMs);
        call.timer = setTimeout(() => expire(call), call.deadline - monotonic());
        owners.watch(held, reply.owner);
        return adopted;
      }
      case 'decided':
        call.joined = true;
        return decide(call, reply.ending);
      case 'crowded':
        call.settle('overloaded', 'too many instances wait for this call');
        return;
      case 'rekey':
      case undefined:
        return this.#goAlone(held);
      default:
        return reply satisfies never;
    }
  }

  /** Takes up the key under which Redis knows the call. */
  async #adopt(held: HeldCall, known: Extract<ClaimReply, { uniqueKey: string }>): Promise<void> {
    const { register, room } = this.#parts;
    const { call } = held;
    held.confirmed = true;
    held.turn = known.turn;
    let { pointed } = known;
    if (known.uniqueKey !== call.uniqueKey) {
      room.rekey(call, known.uniqueKey, call.answersToCallId);
      pointed = await register.point(call);
    }
    if (!pointed) this.#parts.held.untold(held);
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
