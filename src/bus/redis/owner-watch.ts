import type { Call } from '../../calls/call.ts';
import type { CallEnding } from '../../calls/call-outcome.ts';
import type { WaitingRoom } from '../../calls/waiting-room.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { BusEvents } from './bus-events.ts';
import type { BusMessage } from './bus-message.ts';
import { type CallStore, onlyLeaves } from './call-store.ts';
import type { LocalCall, LocalCalls } from './local-calls.ts';
import type { PeerMessages } from './peer-messages.ts';

/** Milliseconds between two rounds. */
const ROUND_MS = 200;
/** Milliseconds within which an owner that is asked must give a sign of life. */
const REPLY_MS = 400;
/** Milliseconds for which an owner that gave one is taken to be alive. */
const ALIVE_MS = 1_000;

/** A call that another instance wakes. */
interface JoinedCall {
  readonly local: LocalCall;
  owner: string;
  /** Monotonic milliseconds at which the owner was asked, while it has not replied. */
  askedAt: number | undefined;
  /** Monotonic milliseconds of its last sign of life. */
  heardAt: number;
}

/** What the watch works with. */
export interface OwnerWatchDeps {
  readonly instance: string;
  readonly store: Pick<CallStore, 'takeOver'>;
  readonly peers: Pick<PeerMessages, 'send'>;
  readonly localCalls: Pick<LocalCalls, 'find'>;
  readonly room: Pick<WaitingRoom, 'find' | 'endingOf'>;
  readonly events: Pick<BusEvents, 'callTakenOver'>;
  /** Ends a call that was found to have ended in Redis. */
  readonly decide: (call: Call, ending: CallEnding) => void;
}

/**
 * Watches over the calls that this instance has joined. Their owners are asked for a sign of life about once a second;
 * where nobody hears the question, or no reply comes, this instance takes the call over: it becomes the owner in Redis,
 * unless another one was faster, and wakes the phone for the whole of its own PBX's wait.
 */
export class OwnerWatch {
  readonly #deps: OwnerWatchDeps;
  readonly #joined = new Map<Call, JoinedCall>();
  readonly #timer: NodeJS.Timeout;

  constructor(deps: OwnerWatchDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#round(), ROUND_MS);
  }

  /** The call was joined: `owner` wakes its phone. */
  watch(local: LocalCall, owner: string): void {
    local.call.joined = true;
    this.#joined.set(local.call, { local, owner, askedAt: undefined, heardAt: Number.NEGATIVE_INFINITY });
  }

  /** What another instance says of the ownership of a call. */
  hear(message: Exclude<BusMessage, { readonly kind: 'end' }>): void {
    const call = this.#deps.room.find(message.uniqueKey);
    const joined = call === undefined ? undefined : this.#joined.get(call);
    switch (message.kind) {
      case 'ask':
        this.#reply(message.uniqueKey, message.asker);
        break;
      case 'held':
        if (joined === undefined) break;
        joined.askedAt = undefined;
        joined.heardAt = monotonic();
        break;
      case 'own':
        // Others may have joined the call as well: Redis knows to whom it was handed over.
        if (joined !== undefined) void this.#takeOver(joined);
        break;
      default:
        message satisfies never;
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Says that this instance holds the call, or how it ended here; says nothing of a call that it does not know. */
  #reply(uniqueKey: string, asker: string): void {
    const { room, peers } = this.#deps;
    const ending = room.endingOf(uniqueKey);
    if (room.find(uniqueKey) !== undefined) void peers.send(asker, { kind: 'held', uniqueKey });
    else if (ending !== undefined) {
      const message: BusMessage = onlyLeaves(ending)
        ? { kind: 'own', uniqueKey }
        : { kind: 'end', uniqueKey, ending };
      void peers.send(asker, message);
    }
  }

  #round(): void {
    const now = monotonic();
    for (const [call, joined] of this.#joined) {
      if (this.#deps.localCalls.find(call) === undefined) this.#joined.delete(call);
      else if (joined.askedAt !== undefined && now - joined.askedAt > REPLY_MS) void this.#takeOver(joined);
      else if (joined.askedAt === undefined && now - joined.heardAt > ALIVE_MS) void this.#ask(joined);
    }
  }

  async #ask(joined: JoinedCall): Promise<void> {
    joined.askedAt = monotonic();
    const { uniqueKey } = joined.local.call;
    const heard = await this.#deps.peers.send(joined.owner, {
      kind: 'ask',
      uniqueKey,
      asker: this.#deps.instance,
    });
    if (heard === false) await this.#takeOver(joined);
  }

  async #takeOver(joined: JoinedCall): Promise<void> {
    const { local, owner } = joined;
    joined.askedAt = undefined;
    const reply = await this.#deps.store.takeOver(local, owner);
    // Its end is being told, or was.
    if (this.#deps.localCalls.find(local.call) === undefined) return;
    switch (reply?.kind) {
      case 'ours':
        local.call.deadline = local.ownDeadline;
        return this.#own(joined);
      case 'owned':
        joined.owner = reply.owner;
        return;
      case 'decided':
        return this.#deps.decide(local.call, reply.ending);
      case undefined:
        // Whoever waits alone while Redis is away, or after it has lost the call, has to wake the phone itself.
        return this.#own(joined);
      default:
        return reply satisfies never;
    }
  }

  #own({ local }: JoinedCall): void {
    const { call } = local;
    if (!this.#joined.delete(call)) return;
    call.joined = false;
    clearTimeout(call.timer);
    this.#deps.events.callTakenOver({ account: call.ask.account, uniqueKey: call.uniqueKey });
    local.wake();
  }
}
