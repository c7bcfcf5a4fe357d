import type { Call } from '../../calls/call.ts';
import type { CallEnding, CallOutcome } from '../../calls/call-outcome.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { RedisLink, RedisScript } from '../../redis/redis-link.ts';
import { RedisUnavailable } from '../../redis/redis-unavailable.ts';
import type { BusEvents } from './bus-events.ts';
import { endingOf, words } from './bus-message.ts';
import { type CallKeys, nameOf } from './call-keys.ts';
import type {
  AnswerReply,
  CancelledCall,
  ClaimReply,
  Decided,
  EndReply,
  RefreshReply,
  TakeOverReply,
} from './call-store-replies.ts';
import type { LocalCall } from './local-calls.ts';
import { ANSWER, CANCEL, CLAIM, END, POINT, REFRESH, TAKE_OVER } from './scripts.ts';

/** Milliseconds for which Redis remembers a call after its time: the reference kept its keys for 300 s. */
const KEPT_MS = 300_000;
/** Instances that may wait for one call: a PBX that asks more of them for the same call is refused there. */
const MOST_WAITERS = 16;

/**
 * The calls as Redis knows them, for one instance. Every method resolves with undefined where Redis could not be asked
 * in time; what it would have done may have been done all the same.
 */
export class CallStore {
  readonly #link: Pick<RedisLink, 'isUp' | 'run'>;
  readonly #keys: CallKeys;
  readonly #instance: string;
  readonly #timeoutMs: number;
  readonly #events: Pick<BusEvents, 'busFailed'>;
  #failedAt = Number.NEGATIVE_INFINITY;

  constructor(options: {
    readonly link: Pick<RedisLink, 'isUp' | 'run'>;
    readonly keys: CallKeys;
    readonly instance: string;
    /** Milliseconds for one command. */
    readonly timeoutMs: number;
    readonly events: Pick<BusEvents, 'busFailed'>;
  }) {
    this.#link = options.link;
    this.#keys = options.keys;
    this.#instance = options.instance;
    this.#timeoutMs = options.timeoutMs;
    this.#events = options.events;
  }

  /** Monotonic milliseconds at which Redis, or the server of a Cluster that was asked, last gave no answer. */
  get failedAt(): number {
    return this.#failedAt;
  }

  /** Makes a call known, or joins it where it is known; gives up while there is time to wake the phone alone. */
  async claim(local: LocalCall): Promise<ClaimReply | undefined> {
    const { call } = local;
    const limitMs = Math.min(this.#timeoutMs, left(call) / 2);
    const pointing = this.point(call, limitMs);
    const args = [nameLeadsTo(call), left(call), KEPT_MS, MOST_WAITERS];
    const reply = await this.#runFor(CLAIM, local, args, limitMs);
    // Before a push carries the unique key an answer to it must lead to the call.
    const known = { uniqueKey: at(reply, 1), turn: at(reply, 2), pointed: await pointing };
    const word = reply?.[0];
    switch (word) {
      case 'ours':
        return { kind: word, ...known };
      case 'shared':
        return { kind: word, ...known, leftMs: Number(at(reply, 3)), owner: at(reply, 4) };
      case 'answered':
        return decided(reply);
      case 'rekey':
      case 'crowded':
        return { kind: word };
      default:
        return undefined;
    }
  }

  /** Writes down which call a unique key of its own is for; resolves with whether that is known. */
  async point(call: Call, limitMs?: number): Promise<boolean> {
    const name = nameOf(call);
    if (call.uniqueKey === name) return true;
    const value = `${call.ask.account} ${name}`;
    const keys = [this.#keys.call(call.uniqueKey)];
    return (await this.#run(POINT, keys, [value, left(call) + KEPT_MS], limitMs)) !== undefined;
  }

  /** The app's word for a unique key, or for a call_id that stands for one. */
  async answer(key: string, outcome: 'ready' | 'declined'): Promise<AnswerReply | undefined> {
    let reply = await this.#answer(key, outcome, '', '');
    if (reply?.[0] === 'elsewhere') reply = await this.#answer(at(reply, 2), outcome, at(reply, 1), key);
    const word = reply?.[0];
    switch (word) {
      case 'taken':
      case 'duplicate': {
        const ending = endingOf(at(reply, 3), undefined);
        const waiters = listed(at(reply, 2));
        return ending && { kind: word, uniqueKey: at(reply, 1), waiters, ending };
      }
      case 'late':
      case 'unknown':
        return { kind: word };
      default:
        return undefined;
    }
  }

  /** Ends the call for everybody, or only this instance's wait for it where others may go on. */
  async end(local: LocalCall, ending: CallEnding, limitMs?: number): Promise<EndReply | undefined> {
    const { outcome, reason } = ending;
    const leaves = onlyLeaves(ending) || (local.call.joined && outcome === 'timed-out');
    const args = [outcome, reason ?? '', leaves ? 'leave' : 'end'];
    const reply = await this.#runFor(END, local, args, limitMs);
    const word = reply?.[0];
    switch (word) {
      case 'decided':
        return decided(reply);
      case 'ended':
        return { kind: word, others: listed(at(reply, 1)) };
      case 'handed-over':
        return { kind: word, owner: at(reply, 1) };
      default:
        return undefined;
    }
  }

  /** Ends every call of a call_id. */
  async cancel(callId: string, reason: string | null): Promise<readonly CancelledCall[] | undefined> {
    const replied = await this.#run(CANCEL, [this.#keys.call(callId)], [reason ?? '']);
    if (replied === undefined) return undefined;
    const cancelled: CancelledCall[] = [];
    for (let from = 0; from < replied.length; from += 2) {
      cancelled.push({ uniqueKey: at(replied, from), waiters: listed(at(replied, from + 1)) });
    }
    return cancelled;
  }

  /** Makes this instance the one that wakes the phone, in place of `from`, until its own deadline. */
  async takeOver(local: LocalCall, from: string): Promise<TakeOverReply | undefined> {
    const args = [from, left({ deadline: local.ownDeadline })];
    const reply = await this.#runFor(TAKE_OVER, local, args);
    const word = reply?.[0];
    switch (word) {
      case 'decided':
        return decided(reply);
      case 'owned':
        return { kind: word, owner: at(reply, 1) };
      case 'ours':
        return { kind: word };
      default:
        return undefined;
    }
  }

  /** Looks at a call that waits here; where Redis does not know it, the instance that wakes its phone makes it known. */
  async refresh(local: LocalCall): Promise<RefreshReply | undefined> {
    const { call, confirmed } = local;
    const args = [call.joined ? 0 : 1, confirmed ? 0 : 1, nameLeadsTo(call), left(call), KEPT_MS];
    const reply = await this.#runFor(REFRESH, local, args);
    const word = reply?.[0];
    switch (word) {
      case 'decided':
        return decided(reply);
      case 'waiting':
        // The key may have been lost without the call, which another server of a Cluster holds.
        return (await this.point(call)) ? { kind: word, turn: at(reply, 1) } : undefined;
      case 'gone':
        return { kind: word };
      default:
        return undefined;
    }
  }

  #runFor(
    script: RedisScript,
    { call, turn }: LocalCall,
    args: readonly (string | number)[],
    limitMs?: number,
  ) {
    const keys = [this.#keys.call(nameOf(call))];
    const { ask, uniqueKey } = call;
    return this.#run(script, keys, [ask.account, this.#instance, uniqueKey, turn, ...args], limitMs);
  }

  #answer(name: string, outcome: string, account: string, uniqueKey: string) {
    return this.#run(ANSWER, [this.#keys.call(name)], [outcome, account, uniqueKey]);
  }

  async #run(
    script: RedisScript,
    keys: readonly string[],
    args: readonly (string | number)[],
    limitMs?: number,
  ): Promise<readonly string[] | undefined> {
    if (!this.#link.isUp()) return undefined;
    try {
      return words(await this.#link.run(script, keys, args, limitMs));
    } catch (error) {
      // The link has told of it where Redis is away.
      if (error instanceof RedisUnavailable) this.#failedAt = monotonic();
      else this.#events.busFailed({ during: script.name, error });
      return undefined;
    }
  }
}

const OWN_ENDINGS: ReadonlySet<CallOutcome> = new Set([
  'caller-gone',
  'shutting-down',
  'overloaded',
  'bus-unavailable',
]);

/** Whether an ending is of one instance's wait alone: an answer or a fault of the push ends the call for everybody. */
export function onlyLeaves({ outcome }: CallEnding): boolean {
  return OWN_ENDINGS.has(outcome);
}

/** Whether an app may answer to the name of the call. */
function nameLeadsTo(call: Call): 'unique' | 'also' | 'no' {
  if (call.uniqueKey === nameOf(call)) return 'unique';
  return call.answersToCallId ? 'also' : 'no';
}

function left({ deadline }: { readonly deadline: number }): number {
  return Math.max(1, Math.ceil(deadline - monotonic()));
}

/** A word of a reply. */
function at(reply: readonly string[] | undefined, index: number): string {
  return reply?.[index] ?? '';
}

function listed(text: string): readonly string[] {
  return text === '' ? [] : text.split(' ');
}

/** An outcome that only a newer version knows is no answer: the call goes on here. */
function decided(reply: readonly string[] | undefined): Decided | undefined {
  const ending = endingOf(at(reply, 1), at(reply, 2));
  return ending && { kind: 'decided', ending };
}
