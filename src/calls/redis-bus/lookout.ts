import { monotonic } from '../../lib/monotonic.ts';
import type { Call } from '../call.ts';
import type { CallEnding } from '../call-outcome.ts';
import type { BusEvents } from './bus-events.ts';
import type { CallRegister } from './call-register.ts';
import type { HeldCalls } from './held-calls.ts';

/** Milliseconds between two checks whether a look is due. */
const CHECK_MS = 250;
/** Calls that one look asks for at a time. */
const BATCH = 200;

/** What the lookout works with. */
export interface LookoutParts {
  readonly isUp: () => boolean;
  readonly register: Pick<CallRegister, 'refresh'>;
  readonly held: Pick<HeldCalls, 'calls'>;
  /** Milliseconds between two looks when nothing has happened. */
  readonly everyMs: number;
  readonly events: Pick<BusEvents, 'answerFound'>;
  /** Ends a call that was found to have ended in Redis. */
  readonly decide: (call: Call, ending: CallEnding) => void;
}

/**
 * Makes up for messages that were lost: looks at what Redis knows of every call that waits here, soon after `lookSoon`
 * and else every `everyMs`, and makes known again what Redis has lost. One look at a time, `BATCH` calls at a time.
 */
export class Lookout {
  readonly #parts: LookoutParts;
  readonly #timer: NodeJS.Timeout;
  #due: number;
  #look: Promise<void> | undefined;

  constructor(parts: LookoutParts) {
    this.#parts = parts;
    this.#due = monotonic() + parts.everyMs;
    this.#timer = setInterval(() => this.#check(), CHECK_MS);
  }

  /** Messages may have been lost. */
  lookSoon(): void {
    this.#due = monotonic();
    this.#check();
  }

  /** Resolves when the look under way, if there is one, has ended. */
  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#look;
  }

  #check(): void {
    if (this.#look !== undefined || monotonic() < this.#due || !this.#parts.isUp()) return;
    this.#due = monotonic() + this.#parts.everyMs;
    this.#look = this.#lookAtAll().finally(() => {
      this.#look = undefined;
    });
  }

  async #lookAtAll(): Promise<void> {
    const calls = this.#parts.held.calls();
    for (let from = 0; from < calls.length && this.#parts.isUp(); from += BATCH) {
      await Promise.all(calls.slice(from, from + BATCH).map((call) => this.#lookAt(call)));
    }
  }

  async #lookAt(call: Call): Promise<void> {
    if (call.isOver()) return;
    const reply = await this.#parts.register.refresh(call);
    if (reply?.kind !== 'decided' || call.isOver()) return;
    this.#parts.events.answerFound({ at: 'look' });
    this.#parts.decide(call, reply.ending);
  }
}
