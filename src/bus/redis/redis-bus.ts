import type { AnswerBus, AnswerFate } from '../../calls/answer-bus.ts';
import type { Call } from '../../calls/call.ts';
import type { CallEnding, CallOutcome } from '../../calls/call-outcome.ts';
import { newUniqueKey } from '../../calls/unique-key.ts';
import type { WaitingRoom } from '../../calls/waiting-room.ts';
import { monotonic } from '../../lib/monotonic.ts';
import { within } from '../../lib/within.ts';
import type { RedisLink } from '../../redis/redis-link.ts';
import type { BusEvents } from './bus-events.ts';
import { type BusMessage, decodeMessage } from './bus-message.ts';
import { createCallKeys } from './call-keys.ts';
import { CallStore } from './call-store.ts';
import { type ClaimDeps, claimCall } from './claim-call.ts';
import { Heartbeats } from './heartbeats.ts';
import { type LocalCall, LocalCalls } from './local-calls.ts';
import { OwnerWatch } from './owner-watch.ts';
import { PeerMessages } from './peer-messages.ts';
import { Reconciler } from './reconciler.ts';

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
  readonly #instance = newUniqueKey();
  readonly #store: CallStore;
  readonly #peers: PeerMessages;
  readonly #localCalls = new LocalCalls();
  readonly #owners: OwnerWatch;
  readonly #claims: ClaimDeps;
  readonly #reconciler: Reconciler;
  readonly #heartbeats: Heartbeats;
  readonly #underway = new Set<Promise<void>>();

  constructor(options: RedisBusOptions) {
    const { link, events } = options;
    const keys = createCallKeys(options.prefix);
    this.#link = link;
    this.#room = options.room;
    this.#required = options.required;
    this.#events = events;
    this.#store = new CallStore({
      link,
      keys,
      instance: this.#instance,
      timeoutMs: options.timeoutMs,
      events,
    });
    this.#peers = new PeerMessages(link, keys);
    const decide = (call: Call, ending: CallEnding): void => this.#decide(call, ending);
    this.#owners = new OwnerWatch({
      instance: this.#instance,
      store: this.#store,
      peers: this.#peers,
      room: this.#room,
      localCalls: this.#localCalls,
      events,
      decide,
    });
    this.#claims = {
      store: this.#store,
      room: this.#room,
      localCalls: this.#localCalls,
      owners: this.#owners,
      required: options.required,
      decide,
      expire: (call) => this.expire(call, 'timed-out'),
    };
    this.#reconciler = new Reconciler({
      isUp: () => link.isUp(),
      store: this.#store,
      localCalls: this.#localCalls,
      everyMs: options.lookEveryMs,
      events,
      decide,
    });
    this.#heartbeats = new Heartbeats({
      link,
      keys,
      instance: this.#instance,
      allKnown: () => this.#reconciler.allKnown(),
      events,
    });
    link.listen(keys.channel(this.#instance), {
      onMessage: (text) => this.#hear(decodeMessage(text)),
      onGap: () => this.#reconciler.lookSoon(),
      onLost: () => this.#reconciler.channelLost(),
    });
  }

  refusal(): CallOutcome | undefined {
    return this.#required && !this.#link.isUp() ? 'bus-unavailable' : undefined;
  }

  claim(call: Call, wake: () => void): void {
    const local = this.#localCalls.add(call, wake);
    this.#behind(claimCall(this.#claims, local));
  }

  async answer(key: string, available: boolean): Promise<AnswerFate> {
    const outcome = available ? 'ready' : 'declined';
    const reply = await this.#store.answer(key, outcome);
    if (reply?.kind === 'taken' || reply?.kind === 'duplicate') {
      // The message that followed the first answer may have been lost.
      this.#tell(reply.waiters, reply.uniqueKey, reply.ending);
      return reply.kind;
    }
    if (reply?.kind === 'late' && !this.#waitsUntold(key)) return 'late';
    // Redis cannot be asked, or does not know the call (any more): the own room may know it.
    const fate = this.#room.answer(key, available);
    if (fate !== 'unknown') return fate;
    return this.#mayBeKnownElsewhere(reply) ? 'undecided' : fate;
  }

  expire(call: Call, outcome: CallOutcome, reason?: string): void {
    const local = this.#localCalls.remove(call);
    if (local === undefined) call.settle(outcome, reason);
    else this.#behind(this.#lastLook(local, { outcome, reason: reason ?? null }));
  }

  release(call: Call): void {
    const local = this.#localCalls.remove(call);
    const { ending } = call;
    if (local !== undefined && ending !== undefined) this.#behind(this.#end(local, ending));
  }

  async cancel(callId: string, reason: string | null): Promise<number | 'undecided'> {
    const cancelled = await this.#store.cancel(callId, reason);
    for (const { waiters, uniqueKey } of cancelled ?? []) {
      this.#tell(waiters, uniqueKey, { outcome: 'cancelled', reason });
    }
    // Those that Redis did not know of.
    const ended = (cancelled?.length ?? 0) + this.#room.cancel(callId, reason);
    return ended === 0 && this.#mayBeKnownElsewhere(cancelled) ? 'undecided' : ended;
  }

  async close(): Promise<void> {
    this.#owners.stop();
    await within(
      Promise.allSettled([...this.#underway, this.#reconciler.stop(), this.#heartbeats.stop()]),
      FLUSH_MS,
    );
  }

  /** Whether another instance may know a call that Redis, by its reply, does not. */
  #mayBeKnownElsewhere(reply: object | undefined): boolean {
    return reply === undefined || this.#reconciler.isUnsettled() || this.#heartbeats.someAreSilent();
  }

  /** Whether a call waits here for this key that Redis has not confirmed to know. */
  #waitsUntold(key: string): boolean {
    const call = this.#room.find(key);
    return call !== undefined && this.#localCalls.find(call)?.confirmed === false;
  }

  /** The call's time is over: an answer that Redis has accepted before now still counts. */
  async #lastLook(local: LocalCall, ending: CallEnding): Promise<void> {
    await this.#end(local, ending, LAST_LOOK_MS);
    local.call.settle(ending.outcome, ending.reason);
  }

  /** Ends the call in Redis, or only this instance's wait where others may go on, and tells whom it concerns. */
  async #end(local: LocalCall, ending: CallEnding, limitMs?: number): Promise<void> {
    const { call } = local;
    const reply = await this.#store.end(local, ending, limitMs);
    if (reply?.kind === 'ended') this.#tell(reply.others, call.uniqueKey, ending);
    if (reply?.kind === 'decided' && !call.isOver()) {
      this.#events.answerFound({ at: 'deadline' });
      this.#decide(call, reply.ending);
    }
    if (reply?.kind === 'handed-over') {
      await this.#peers.send(reply.owner, { kind: 'own', uniqueKey: call.uniqueKey });
    }
  }

  /** Tells those whose PBX waits how the call has ended; this instance may be one of them. */
  #tell(waiters: readonly string[], uniqueKey: string, ending: CallEnding): void {
    for (const waiter of waiters) {
      if (waiter === this.#instance) this.#decideByKey(uniqueKey, ending);
      else this.#behind(this.#peers.send(waiter, { kind: 'end', uniqueKey, ending }));
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
    this.#localCalls.remove(call);
    if (outcome === 'ready' || outcome === 'declined') call.answeredAt = monotonic();
    call.settle(outcome, reason);
  }

  #behind(work: Promise<unknown>): void {
    const done = work
      .catch((error: unknown) => this.#events.busFailed({ during: 'call', error }))
      .then(() => {
        this.#underway.delete(done);
      });
    this.#underway.add(done);
  }
}

/** What the bus of several instances is built on. */
interface RedisBusOptions {
  readonly link: RedisLink;
  readonly room: Pick<WaitingRoom, 'answer' | 'cancel' | 'find' | 'endingOf' | 'rekey' | 'newKey'>;
  /** What every key and channel begins with. */
  readonly prefix: string;
  /** Milliseconds for one command. */
  readonly timeoutMs: number;
  /** New calls are refused while Redis does not answer, instead of being waited for by this instance alone. */
  readonly required: boolean;
  /** Milliseconds between two looks at the calls that wait. */
  readonly lookEveryMs: number;
  readonly events: BusEvents;
}
