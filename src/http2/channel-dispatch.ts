import { constants } from 'node:http2';
import { monotonic } from '../lib/monotonic.ts';
import type { Connections } from './channel-connections.ts';
import type { PendingRequest } from './channel-pending.ts';
import { type Replayer, ReplayPolicy } from './channel-replay.ts';
import type { WaitingRequests } from './channel-waiting.ts';
import type { Http2Connection } from './connection.ts';
import type { StreamEnd } from './connection-types.ts';

/** setTimeout takes no longer delay (2^31 - 1 ms). */
const LONGEST_TIMER_MS = 2_147_483_647;

/** What requests are brought together with. */
export interface DispatcherDeps {
  readonly waiting: WaitingRequests;
  readonly open: Connections;
  /** New requests that wait at most; one more fails as `queue-full`. */
  readonly maxQueue: number;
  /** A request waits and no connection is open. */
  readonly connect: () => void;
}

/**
 * Brings requests and connections together. A request waits (new ones, and those sent before, which go first), pauses before
 * its replay, or is on a stream; from each of them its deadline or its reply takes it.
 */
export class Dispatcher implements Replayer {
  readonly #waiting: WaitingRequests;
  readonly #open: Connections;
  readonly #maxQueue: number;
  readonly #connect: () => void;
  readonly #policy = new ReplayPolicy(this);

  constructor(deps: DispatcherDeps) {
    this.#waiting = deps.waiting;
    this.#open = deps.open;
    this.#maxQueue = deps.maxQueue;
    this.#connect = deps.connect;
  }

  /** Whether a request waits, or pauses before its replay. */
  get waits(): boolean {
    return this.#waiting.size + this.#policy.paused > 0;
  }

  get connected(): boolean {
    return this.#open.size > 0;
  }

  /** Takes a new request: sends it, or has it wait. */
  accept(pending: PendingRequest): void {
    const now = monotonic();
    const remaining = pending.request.deadline - now;
    if (!(remaining > 0)) {
      this.#expire(pending);
      return;
    }
    pending.deadlineTimer = setTimeout(this.#expire, Math.min(remaining, LONGEST_TIMER_MS), pending);
    if (this.#policy.takes(pending)) return;
    const connection = this.#waiting.shared === 0 ? this.#open.withRoom() : undefined;
    if (connection !== undefined) dispatch(connection, pending);
    else if (this.#waiting.fresh >= this.#maxQueue) pending.fail('queue-full');
    else {
      this.#waiting.push(pending, now);
      this.#lacksRoom();
    }
  }

  /** Sends what waits, oldest first, while there is room. */
  sendWaiting(): void {
    this.#sendAlone();
    while (this.#waiting.shared > 0) {
      const connection = this.#open.withRoom();
      if (connection === undefined) {
        this.#lacksRoom();
        return;
      }
      const pending = this.#waiting.shift();
      if (pending !== undefined) dispatch(connection, pending);
    }
  }

  /** A stream ended without an answer: its request is sent again, or fails. `peer-refuses`: a fresh connection may help. */
  unanswered(pending: PendingRequest, end: StreamEnd): 'done' | 'peer-refuses' {
    return this.#policy.apply(pending, end);
  }

  /** Ends what waits or pauses as `closed`. */
  close(): void {
    this.#policy.close();
    this.#waiting.fail({ kind: 'failed', reason: 'closed' });
  }

  /** From the policy: to be sent again. */
  replay(pending: PendingRequest): void {
    this.#waiting.pushReplay(pending, monotonic());
    this.#sendOrConnect();
  }

  /** From the policy: to be sent again with nothing else on its connection. */
  replayAlone(pending: PendingRequest): boolean {
    if (!this.#waiting.pushAlone(pending, monotonic())) return false;
    this.#sendOrConnect();
    return true;
  }

  #sendOrConnect(): void {
    if (this.#open.size > 0) this.sendWaiting();
    else this.#connect();
  }

  #sendAlone(): void {
    while (this.#waiting.wantsAlone) {
      const connection = this.#open.empty(this.#waiting.shared > 0);
      if (connection === undefined) {
        this.#lacksRoom();
        return;
      }
      const pending = this.#waiting.shiftAlone();
      if (pending?.request.wanted() === true) connection.sendAlone(pending);
      else pending?.fail('withdrawn');
    }
  }

  #lacksRoom(): void {
    if (this.#open.size === 0) this.#connect();
    else this.#open.full();
  }

  /** Kept as one function for all requests, so that a timer creates none for it. */
  readonly #expire = (pending: PendingRequest): void => {
    const { stream } = pending;
    pending.fail(stream === undefined && this.#open.size === 0 ? 'unreachable' : 'timeout');
    stream?.close(constants.NGHTTP2_CANCEL);
  };
}

function dispatch(connection: Http2Connection, pending: PendingRequest): void {
  if (pending.request.wanted()) connection.send(pending);
  else pending.fail('withdrawn');
}
