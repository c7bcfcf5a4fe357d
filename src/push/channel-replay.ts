import { backoff } from '../lib/backoff.ts';
import type { PendingRequest } from './channel-pending.ts';
import { PendingQueue } from './channel-queue.ts';
import type { StreamEnd } from './http2-connection-types.ts';

/** How often a request is sent again when the peer certainly did not process it. */
const MAX_REFUSALS = 5;
/** How often a request is sent again when perhaps it was processed; harmless, as each try carries the same id. */
const MAX_LOSSES = 2;
/** Pause before the second and later replays of a request that the peer refuses, in milliseconds. */
const REFUSAL_PAUSE = { baseMs: 50, capMs: 400 };

/** Decides whether a request whose stream ended unanswered is sent again, and when. */
export class ReplayPolicy {
  readonly #replay: (pending: PendingRequest) => void;
  readonly #paused = new PendingQueue();

  constructor(replay: (pending: PendingRequest) => void) {
    this.#replay = replay;
  }

  /** Requests that pause before their replay. */
  get paused(): number {
    return this.#paused.size;
  }

  /** Replays, pauses or fails the request. `peer-refuses`: a fresh connection should be tried. */
  apply(pending: PendingRequest, end: StreamEnd): 'done' | 'peer-refuses' {
    switch (end) {
      case 'reset':
        pending.fail('stream-reset');
        return 'done';
      case 'lost':
        if (++pending.losses > MAX_LOSSES) pending.fail('connection-lost');
        else this.#replay(pending);
        return 'done';
      case 'passed-over':
        this.#replay(pending);
        return 'done';
      case 'unprocessed':
        if (++pending.refusals > MAX_REFUSALS) pending.fail('connection-lost');
        else this.#replay(pending);
        return 'done';
      case 'refused':
        return this.#refused(pending);
      default:
        return end satisfies never;
    }
  }

  /** Ends the pausing ones as `closed`. */
  close(): void {
    for (let pending = this.#paused.shift(); pending !== undefined; pending = this.#paused.shift()) {
      pending.fail('closed');
    }
  }

  /** The first refusal may only mean that the peer's limit was lowered meanwhile: the same connection will do. */
  #refused(pending: PendingRequest): 'done' | 'peer-refuses' {
    pending.refusals++;
    if (pending.refusals > MAX_REFUSALS) {
      pending.fail('stream-reset');
      return 'done';
    }
    if (pending.refusals === 1) {
      this.#replay(pending);
      return 'done';
    }
    this.#paused.push(pending);
    pending.delayTimer = setTimeout(
      () => {
        this.#paused.remove(pending);
        this.#replay(pending);
      },
      backoff(pending.refusals - 2, REFUSAL_PAUSE),
    );
    return 'peer-refuses';
  }
}
