import { monotonic } from '../lib/monotonic.ts';
import type { ChannelTimings } from './channel-timings.ts';
import type { Http2Connection } from './connection.ts';

/** Connections that are open at the same time at most. */
const MOST_CONNECTIONS = 8;
/** How often the pause before a stalled connection is replaced doubles. */
const MOST_STALL_DOUBLINGS = 3;

/** What the set asks of its channel. */
export interface ConnectionsOwner {
  /** Since when the request that waits longest does; undefined: none waits. */
  waitingSince(): number | undefined;
  /** One more connection would help. */
  grow(): void;
}

/**
 * The open connections of a channel. Requests go to the oldest that has room, so that those opened for a rush fall idle
 * after it and are closed. One more is wanted while requests wait for a stream:
 * - only after a connection has answered, or was open for a second: Apple allows one stream until then;
 * - one at a time, `growAfterMs` apart: Apple takes quick opening for an attack;
 * - none where our own bound on what is in flight is what they wait for;
 * - where no connection takes any request (a limit of 0), after `stallAfterMs`, in place of those.
 */
export class Connections {
  readonly #timings: ChannelTimings;
  readonly #maxInFlight: number;
  readonly #owner: ConnectionsOwner;
  readonly #open: Http2Connection[] = [];
  /** What each spare had served when it was last looked at. */
  readonly #servedBefore = new WeakMap<Http2Connection, number>();
  #growth: NodeJS.Timeout | undefined;
  #trimming: NodeJS.Timeout | undefined;
  #stalls = 0;

  constructor(timings: ChannelTimings, maxInFlight: number, owner: ConnectionsOwner) {
    this.#timings = timings;
    this.#maxInFlight = maxInFlight;
    this.#owner = owner;
  }

  get size(): number {
    return this.#open.length;
  }

  /** The oldest that has room; undefined when the next request has to wait. */
  withRoom(): Http2Connection | undefined {
    const [only] = this.#open;
    if (this.#open.length < 2) return only !== undefined && only.room > 0 ? only : undefined;
    return this.#inFlight() < this.#maxInFlight ? this.#open.find(hasRoom) : undefined;
  }

  /** One with nothing in flight. Not the oldest where others need it. */
  empty(othersWait: boolean): Http2Connection | undefined {
    const from = othersWait || this.#open.length > 1 ? 1 : 0;
    return this.#open.find((one, index) => index >= from && one.openStreams === 0 && one.room > 0);
  }

  /** A new one; it takes the place of those that take no requests. */
  add(connection: Http2Connection): void {
    const useless = this.#open.filter((other) => !other.takesRequests);
    this.#open.push(connection);
    for (const other of useless) other.retire('renewed', 'the peer allows no streams');
    if (this.#open.length > 1) this.#trimLater();
  }

  /** False: it was not among them. */
  remove(connection: Http2Connection): boolean {
    const index = this.#open.indexOf(connection);
    if (index < 0) return false;
    this.#open.splice(index, 1);
    return true;
  }

  /** Replaces all. */
  renew(): void {
    for (const connection of [...this.#open]) connection.retire('renewed');
  }

  /** A request waits although connections are open: looks, as long as one does, whether another connection is wanted. */
  full(): void {
    this.#growth ??= setTimeout(() => this.#consider(), this.#timings.growAfterMs);
  }

  /** Takes all out; no timer is left. */
  clear(): readonly Http2Connection[] {
    clearTimeout(this.#growth);
    clearTimeout(this.#trimming);
    return this.#open.splice(0);
  }

  #consider(): void {
    this.#growth = undefined;
    const since = this.#owner.waitingSince();
    const newest = this.#open.at(-1);
    if (since === undefined || newest === undefined) return;
    const waitedMs = monotonic() - Math.max(since, newest.openedAt);
    if (newest.served > 0) this.#stalls = 0;
    if (this.#open.some(takesRequests)) {
      if (waitedMs >= this.#timings.growAfterMs && this.#mayGrow()) this.#owner.grow();
    } else if (waitedMs >= this.#timings.stallAfterMs * 2 ** this.#stalls) {
      this.#stalls = Math.min(this.#stalls + 1, MOST_STALL_DOUBLINGS);
      this.#owner.grow();
    }
    this.full();
  }

  #mayGrow(): boolean {
    if (this.#open.length >= MOST_CONNECTIONS || this.#inFlight() >= this.#maxInFlight) return false;
    const established = monotonic() - this.#timings.stableAfterMs;
    return this.#open.some(({ served, openedAt }) => served > 0 || openedAt <= established);
  }

  #inFlight(): number {
    let sum = 0;
    for (const { openStreams } of this.#open) sum += openStreams;
    return sum;
  }

  #trimLater(): void {
    this.#trimming ??= setTimeout(() => {
      this.#trimming = undefined;
      for (const spare of this.#open.slice(1)) {
        const idle = spare.openStreams === 0 && this.#servedBefore.get(spare) === spare.served;
        this.#servedBefore.set(spare, spare.served);
        if (idle) spare.retire('idle');
      }
      if (this.#open.length > 1) this.#trimLater();
    }, this.#timings.spareIdleMs).unref();
  }
}

function hasRoom({ room }: Http2Connection): boolean {
  return room > 0;
}
function takesRequests(connection: Http2Connection): boolean {
  return connection.takesRequests;
}
