import { backoff } from '../lib/backoff.ts';
import type { PendingRequest } from './channel-pending.ts';
import { PendingQueue } from './channel-queue.ts';
import type { StreamEnd } from './connection-types.ts';

/** How often a request is sent again when the peer certainly did not process it. */
const MAX_REFUSALS = 5;
/** How often a request is sent again when perhaps it was processed; harmless, as each try carries the same id. */
const MAX_LOSSES = 5;
/** Pause before the third and later replays of a request that was lost and cannot be sent alone, in milliseconds. */
const LOSS_PAUSE = { baseMs: 100, capMs: 800 };
/** Pause before the second and later replays of a request that the peer refuses, in milliseconds. */
const REFUSAL_PAUSE = { baseMs: 50, capMs: 400 };

/** Recipients remembered whose requests break connections; of more the oldest is forgotten. */
const MAX_DOUBTED = 100;

/** How a request is sent again. */
export interface Replayer {
  /** A connection is open. */
  readonly connected: boolean;
  replay(pending: PendingRequest): void;
  /** On a connection that carries nothing else. False: too many wait for that. */
  replayAlone(pending: PendingRequest): boolean;
}

/** Decides whether a request whose stream ended unanswered is sent again, and when. */
export class ReplayPolicy {
  readonly #replayer: Replayer;
  readonly #paused = new PendingQueue();
  /** The latest request of each recipient that had one lost twice, until one is answered. */
  readonly #doubted = new Map<string, PendingRequest>();

  constructor(replayer: Replayer) {
    this.#replayer = replayer;
  }

  /** Requests that pause before their replay. */
  get paused(): number {
    return this.#paused.size;
  }

  /**
   * Takes a new request if its recipient's latest one was lost twice and is not answered: it goes alone from the start, or
   * fails at once while the latest one still waits for that. False: it is as any other.
   */
  takes(pending: PendingRequest): boolean {
    const { recipient } = pending.request;
    const latest = this.#doubted.get(recipient);
    if (latest === undefined) return false;
    if (latest.answered) {
      this.#doubted.delete(recipient);
      return false;
    }
    if (latest.queue !== undefined || !this.#replayer.replayAlone(pending)) pending.fail('connection-lost');
    else {
      pending.losses = 2;
      this.#doubt(pending);
    }
    return true;
  }

  /** Replays, pauses or fails the request. `peer-refuses`: a fresh connection should be tried. */
  apply(pending: PendingRequest, end: StreamEnd): 'done' | 'peer-refuses' {
    const { alone } = pending;
    pending.alone = false;
    switch (end) {
      case 'reset':
        pending.fail('stream-reset');
        return 'done';
      case 'lost':
        this.#lost(pending, alone);
        return 'done';
      case 'passed-over':
        this.#replayer.replay(pending);
        return 'done';
      case 'unprocessed':
        if (++pending.refusals > MAX_REFUSALS) pending.fail('connection-lost');
        else this.#replayer.replay(pending);
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

  /**
   * A request at which the peer drops the connection takes the others with it, and would again if they all were sent again
   * together. Lost twice, each goes alone: the others are answered, and the one that breaks its own connection fails.
   */
  #lost(pending: PendingRequest, alone: boolean): void {
    pending.losses++;
    if (pending.losses === 2) this.#doubt(pending);
    // While the peer drops every connection, no request is to blame.
    if (alone && !this.#replayer.connected) this.#doubted.delete(pending.request.recipient);
    if (alone || pending.losses > MAX_LOSSES) pending.fail('connection-lost');
    else if (pending.losses === 1) this.#replayer.replay(pending);
    else if (!this.#replayer.replayAlone(pending))
      this.#pause(pending, backoff(pending.losses - 2, LOSS_PAUSE));
  }

  #doubt(pending: PendingRequest): void {
    const { recipient } = pending.request;
    this.#doubted.delete(recipient);
    this.#doubted.set(recipient, pending);
    const oldest = this.#doubted.keys().next();
    if (this.#doubted.size > MAX_DOUBTED && oldest.done !== true) this.#doubted.delete(oldest.value);
  }

  /** The first refusal may only mean that the peer's limit was lowered meanwhile: the same connection will do. */
  #refused(pending: PendingRequest): 'done' | 'peer-refuses' {
    pending.refusals++;
    if (pending.refusals > MAX_REFUSALS) {
      pending.fail('stream-reset');
      return 'done';
    }
    if (pending.refusals === 1) {
      this.#replayer.replay(pending);
      return 'done';
    }
    this.#pause(pending, backoff(pending.refusals - 2, REFUSAL_PAUSE));
    return 'peer-refuses';
  }

  #pause(pending: PendingRequest, forMs: number): void {
    this.#paused.push(pending);
    pending.delayTimer = setTimeout(() => {
      this.#paused.remove(pending);
      this.#replayer.replay(pending);
    }, forMs);
  }
}
