import type { Call } from '../../calls/call.ts';
import type { CallEnding } from '../../calls/call-outcome.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { BusEvents } from './bus-events.ts';
import type { CallStore } from './call-store.ts';
import type { LocalCall, LocalCalls } from './local-calls.ts';

/** Milliseconds between two checks whether a look is due. */
const CHECK_MS = 250;
/** Calls that one look asks for at a time. */
const BATCH = 200;
/**
 * Milliseconds after Redis was away in which other instances may still be without it: they try again about every two
 * seconds, and then make known the calls that wait with them.
 */
const SETTLE_MS = 4_000;
/** Milliseconds between two looks in that time, and while calls are untold: one server of a Cluster may be away longer than the others. */
const LOOK_AGAIN_MS = 1_000;

/** What the lookout works with. */
export interface ReconcilerDeps {
  readonly isUp: () => boolean;
  readonly store: Pick<CallStore, 'refresh' | 'failedAt'>;
  readonly localCalls: Pick<LocalCalls, 'all' | 'allUntold' | 'told' | 'untold'>;
  /** Milliseconds between two looks when nothing has happened. */
  readonly everyMs: number;
  readonly events: Pick<BusEvents, 'answerFound'>;
  /** Ends a call that was found to have ended in Redis. */
  readonly decide: (call: Call, ending: CallEnding) => void;
}

/**
 * Makes up for messages that were lost: looks at what Redis knows of every call that waits here, soon after `lookSoon`,
 * when Redis is back, and else every `everyMs`, and makes known again what Redis has lost; soon at those that Redis could
 * not be told of. One look at a time, `BATCH` calls at a time.
 */
export class Reconciler {
  readonly #deps: ReconcilerDeps;
  readonly #timer: NodeJS.Timeout;
  #due = Number.POSITIVE_INFINITY;
  /** Monotonic milliseconds before which Redis is not told again what it could not be told. */
  #untoldDue = 0;
  #look: Promise<void> | undefined;
  /** Monotonic milliseconds at which Redis, once it had been there, was last found away. */
  #awayAt = Number.NEGATIVE_INFINITY;
  #wasUp = false;
  #everUp = false;
  #subscribed = false;
  /** Monotonic milliseconds at which the last look at every call that came to its end began. */
  #lookedAt = Number.NEGATIVE_INFINITY;

  constructor(deps: ReconcilerDeps) {
    this.#deps = deps;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  /** The subscription stands, for the first time or again: messages may have been lost. */
  lookSoon(): void {
    if (this.#subscribed) this.#awayAt = monotonic();
    this.#subscribed = true;
    this.#due = monotonic();
  }

  /** The subscription has ended, and Redis may be away with it, be it for less than the time between two checks. */
  channelLost(): void {
    this.#awayAt = monotonic();
  }

  /** Whether calls that wait elsewhere may be unknown to Redis, because it was away lately. */
  isUnsettled(): boolean {
    const awayAt = Math.max(this.#awayAt, this.#deps.store.failedAt);
    return monotonic() - awayAt < SETTLE_MS;
  }

  /** Whether Redis knows of every call that waits here: none is to be told, and all were looked at since it was away. */
  allKnown(): boolean {
    const { isUp, localCalls } = this.#deps;
    return isUp() && localCalls.allUntold().length === 0 && this.#lookedAt >= this.#awayAt;
  }

  /** Resolves when the look under way, if there is one, has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look;
  }

  #check(): void {
    const isUp = this.#deps.isUp();
    this.#watch(isUp);
    if (this.#look !== undefined || !isUp) return;
    const now = monotonic();
    const isDue = now >= this.#due;
    if (isDue) this.#due = now + (this.isUnsettled() ? LOOK_AGAIN_MS : this.#deps.everyMs);
    const due = isDue
      ? this.#deps.localCalls.all()
      : now >= this.#untoldDue
        ? this.#deps.localCalls.allUntold()
        : [];
    if (due.length > 0) this.#untoldDue = now + LOOK_AGAIN_MS;
    this.#look = this.#lookAtAll(due).then(() => {
      if (isDue) this.#lookedAt = now;
      this.#look = undefined;
    });
  }

  /** A link that comes back may have been away for new calls only: the subscription need not have noticed. */
  #watch(isUp: boolean): void {
    if (isUp && !this.#wasUp) this.#due = monotonic();
    if (!isUp && this.#everUp) this.#awayAt = monotonic();
    this.#wasUp = isUp;
    this.#everUp ||= isUp;
  }

  async #lookAtAll(all: readonly LocalCall[]): Promise<void> {
    for (let from = 0; from < all.length; from += BATCH) {
      await Promise.all(all.slice(from, from + BATCH).map((local) => this.#lookAt(local)));
    }
  }

  async #lookAt(local: LocalCall): Promise<void> {
    const { call } = local;
    if (call.isOver()) return;
    const reply = await this.#deps.store.refresh(local);
    if (call.isOver()) return;
    switch (reply?.kind) {
      case 'decided':
        this.#deps.events.answerFound({ at: 'look' });
        this.#deps.decide(call, reply.ending);
        break;
      case 'waiting':
        local.confirmed = true;
        local.turn = reply.turn;
        this.#deps.localCalls.told(local);
        break;
      case 'gone':
        this.#deps.localCalls.told(local);
        break;
      case undefined:
        this.#deps.localCalls.untold(local);
        break;
      default:
        reply satisfies never;
    }
  }
}
