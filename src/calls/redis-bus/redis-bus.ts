import { randomBytes } from 'node:crypto';
import { monotonic } from '../../lib/monotonic.ts';
import { within } from '../../lib/within.ts';
import type { RedisLink } from '../../redis/redis-link.ts';
import type { AnswerBus, AnswerFate } from '../answer-bus.ts';
import type { Call } from '../call.ts';
import type { CallEnding, CallOutcome } from '../call-outcome.ts';
import type { BusEvents } from './bus-events.ts';
import { type BusMessage, decodeMessage } from './bus-message.ts';
import { createCallKeys } from './call-keys.ts';
import { CallRegister } from './call-register.ts';
import { type HeldCall, HeldCalls } from './held-calls.ts';
import { InstanceMail } from './instance-mail.ts';
import { InstanceRoll } from './instance-roll.ts';
import { Lookout } from './lookout.ts';
import { OwnerWatch } from './owner-watch.ts';
import type { RedisBusOptions } from './redis-bus-options.ts';
import type { ClaimReply } from './register-replies.ts';

/** Milliseconds past its deadline that a call may take to ask Redis for an answer that it has not heard of. */
const LAST_LOOK_MS = 50;
/** Milliseconds that what was told last may take to leave at close. */
const FLUSH_MS = 1_000;

/**
 * The bus of several instances on one Redis. Each hears a channel of its own. A call that waits is in Redis with those
 * that wait for it; scripts decide there, so the first answer wins wherever it arrives. The instance that took the answer
 * tells the waiters; a message that was lost is made up for by a look at Redis: when the subscription was renewed, every
 * `lookEveryMs`, and at the call's deadline.
 *
 * One instance wakes the phone of a call, its owner; a PBX that asks another instance for the same call joins it there.
 * Where the owner falls silent, one that joined takes the call over.
 */
export class RedisBus implements AnswerBus {
  readonly #link: RedisLink;
  readonly #room: RedisBusOptions['room'];
  readonly #required: boolean;
  readonly #events: BusEvents;
  readonly #instance = randomBytes(8).toString('hex');
  readonly #register: CallRegister;
  readonly #mail: InstanceMail;
  readonly #held = new HeldCalls();
  readonly #owners: OwnerWatch;
  readonly #lookout: Lookout;
  readonly #roll: InstanceRoll;
  readonly #underway = new Set<Promise<void>>();

  constructor(options: RedisBusOptions) {
    const { link, events } = options;
    const keys = createCallKeys(options.prefix);
    this.#link = link;
    this.#room = options.room;
    this.#required = options.required;
    this.#events = events;
    this.#register = new CallRegister({
      link,
      keys,
      instance: this.#instance,
      timeoutMs: options.timeoutMs,
      events,
    });
    this.#mail = new InstanceMail(link, keys);
    const decide = (call: Call, ending: CallEnding): void => this.#decide(call, ending);
    this.#owners = new OwnerWatch({
      instance: this.#instance,
      register: this.#register,
      mail: this.#mail,
      room: this.#room,
      held: this.#held,
      events,
      decide,
    });
    this.#lookout = new Lookout({
      isUp: () => link.isUp(),
      register: this.#register,
      held: this.#held,
      everyMs: options.lookEveryMs,
      events,
      decide,
    });
    this.#roll = new InstanceRoll({
      link,
      keys,
      instance: this.#instance,
      allKnown: () => this.#lookout.allKnown(),
      events,
    });
    link.listen(keys.channel(this.#instance), {
      onMessage: (text) => this.#hear(decodeMessage(text)),
      onGap: () => this.#lookout.lookSoon(),
      onLost: () => this.#lookout.channelLost(),
    });
  }

  refusal(): CallOutcome | undefined {
    return this.#required && !this.#link.isUp() ? 'bus-unavailable' : undefined;
  }

  claim(call: Call, wake: () => void): void {
    const held = this.#held.add(call, wake);
    this.#behind(this.#claim(held));
  }

  async answer(key: string, available: boolean): Promise<AnswerFate> {
    const outcome = available ? 'ready' : 'declined';
    const reply = await this.#register.answer(key, outcome);
    if (reply?.kind === 'taken') {
      this.#tell(reply.waiters, reply.uniqueKey, { outcome, reason: null });
      return 'taken';
    }
    if (reply !== undefined && reply.kind !== 'unknown') return reply.kind;
    // Redis cannot be asked, or has lost the call: the own room may know it.
    const fate = this.#room.answer(key, available);
    if (fate !== 'unknown') return fate;
    const mayWaitElsewhere = reply === undefined || this.#lookout.isUnsettled() || this.#roll.someAreSilent();
    return mayWaitElsewhere ? 'undecided' : fate;
  }

  expire(call: Call, outcome: CallOutcome, reason?: string): void {
    if (this.#held.remove(call) === undefined || !this.#link.isUp()) {
      call.settle(outcome, reason);
      return;
    }
    this.#behind(this.#lastLook(call, { outcome, reason: reason ?? null }));
  }

  release(call: Call): void {
    const { ending } = call;
    if (this.#held.remove(call) === undefined || ending === undefined) return;
    this.#behind(this.#end(call, ending));
  }

  async cancel(callId: string, reason: string | null): Promise<number> {
    const cancelled = (await this.#register.cancel(callId, reason)) ?? [];
    for (const { waiters, uniqueKey } of cancelled) {
      this.#tell(waiters, uniqueKey, { outcome: 'cancelled', reason });
    }
    // Those that Redis did not know of.
    return cancelled.length + this.#room.cancel(callId, reason);
  }

  async close(): Promise<void> {
    this.#owners.stop();
    await within(Promise.allSettled([...this.#underway, this.#lookout.stop(), this.#roll.stop()]), FLUSH_MS);
  }

  async #claim(held: HeldCall): Promise<void> {
    const { call } = held;
    let reply = await this.#register.claim(call);
    if (reply?.kind === 'rekey' && !call.isOver()) {
      this.#room.rekey(call, this.#room.newKey(), false);
      reply = await this.#register.claim(call);
    }
    if (!call.isOver()) this.#claimed(held, reply);
  }

  #claimed(held: HeldCall, reply: ClaimReply | undefined): void {
    const { call } = held;
    switch (reply?.kind) {
      case 'ours':
        this.#adopt(call, reply.uniqueKey);
        held.wake();
        return;
      case 'shared':
        this.#adopt(call, reply.uniqueKey);
        call.deadline = Math.min(call.deadline, monotonic() + reply.leftMs);
        call.timer = setTimeout(() => this.expire(call, 'timed-out'), call.deadline - monotonic());
        this.#owners.watch(held, reply.owner);
        return;
      case 'decided':
        call.joined = true;
        this.#decide(call, reply.ending);
        return;
      case 'crowded':
        call.settle('overloaded', 'too many instances wait for this call');
        return;
      case 'rekey':
      case undefined:
        if (this.#required) call.settle('bus-unavailable');
        else held.wake();
        return;
      default:
        reply satisfies never;
    }
  }

  /** Takes up the key under which Redis knows the call. */
  #adopt(call: Call, uniqueKey: string): void {
    if (uniqueKey === call.uniqueKey) return;
    this.#room.rekey(call, uniqueKey, call.answersToCallId);
    this.#behind(this.#register.point(call));
  }

  /** The call's time is over: an answer that Redis has accepted before now still counts. */
  async #lastLook(call: Call, ending: CallEnding): Promise<void> {
    await this.#end(call, ending, LAST_LOOK_MS);
    call.settle(ending.outcome, ending.reason);
  }

  /** Ends the call in Redis, or only this instance's wait where others may go on, and tells whom it concerns. */
  async #end(call: Call, ending: CallEnding, limitMs?: number): Promise<void> {
    const reply = await this.#register.end(call, ending, limitMs);
    if (reply?.kind === 'ended') this.#tell(reply.others, call.uniqueKey, ending);
    if (reply?.kind === 'decided' && !call.isOver()) {
      this.#events.answerFound({ at: 'deadline' });
      this.#decide(call, reply.ending);
    }
    if (reply?.kind === 'left' && reply.newOwner !== undefined) {
      await this.#mail.send(reply.newOwner, { kind: 'own', uniqueKey: call.uniqueKey });
    }
  }

  /** Tells those whose PBX waits how the call has ended; this instance may be one of them. */
  #tell(waiters: readonly string[], uniqueKey: string, ending: CallEnding): void {
    for (const waiter of waiters) {
      if (waiter === this.#instance) this.#decideByKey(uniqueKey, ending);
      else this.#behind(this.#mail.send(waiter, { kind: 'end', uniqueKey, ending }));
    }
  }

  #hear(message: BusMessage | undefined): void {
    if (message?.kind === 'end') this.#decideByKey(message.uniqueKey, message.ending);
    else if (message !== undefined) this.#owners.hear(message);
  }

  #decideByKey(uniqueKey: string, ending: CallEnding): void {
    const call = this.#room.find(uniqueKey);
    if (call !== undefined) this.#decide(call, ending);
  }

  /** The call has ended in Redis: nothing is left to be told there. */
  #decide(call: Call, { outcome, reason }: CallEnding): void {
    this.#held.remove(call);
    if (call.isOver()) return;
    if (outcome === 'ready' || outcome === 'declined') call.answeredAt = monotonic();
    call.settle(outcome, reason);
  }

  #behind(work: Promise<unknown>): void {
    const done = work.then(() => {
      this.#underway.delete(done);
    });
    this.#underway.add(done);
  }
}
