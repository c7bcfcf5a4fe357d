import { backoff } from '../../lib/backoff.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { ServerPool, ServerSession, SessionResult } from './server-pool.ts';

/** What a connection is for: a read by itself, as each call makes one, or anything that may wait for a lock. */
export type Purpose = 'read' | 'change';

/** Who asks for a connection. */
export interface Asker {
  readonly purpose: Purpose;
  /** True once it waits no longer. */
  readonly gaveUp: boolean;
}

/** The server refuses further connections. */
export interface Shortage {
  /** Connections that it grants at present. */
  readonly granted: number;
  /** Its refusal, as the driver reported it. */
  readonly refusal: unknown;
}

interface Waiter {
  /** Whether it was refused a connection while none was lent. */
  wasRefused: boolean;
  readonly asker: Asker;
  readonly resolve: (session: ServerSession) => void;
  readonly reject: (reason: unknown) => void;
}

/** Askers that may wait at once; each leaves by its own deadline, so this only bounds a flood. */
const MAX_QUEUE = 10_000;
/** How long a refused connection is not tried again while others work. */
const GROWTH_PAUSES = { baseMs: 1_000, capMs: 10_000 };
/** A refusal is reported for this long: until well after the next try. */
const SHORTAGE_MS = 15_000;

/** Too many wait for a connection already. */
class QueueFull extends Error {
  override readonly name = 'QueueFull';
}

/** Connections of `limit` that changes may not take: a lock that holds up every change must leave calls their reads. */
function keptForReads(limit: number): number {
  return limit < 2 ? 0 : Math.max(1, Math.floor(limit / 4));
}

/** A session on its way through the pool below; it reports when it is free again. */
class LentSession implements ServerSession {
  readonly #inner: ServerSession;
  readonly #onBack: (purpose: Purpose) => void;
  #purpose: Purpose | undefined;
  answeredAt: number;

  constructor(inner: ServerSession, onBack: (purpose: Purpose) => void) {
    this.#inner = inner;
    this.#onBack = onBack;
    this.answeredAt = inner.answeredAt;
  }

  get openedAt(): number {
    return this.#inner.openedAt;
  }

  lendTo(purpose: Purpose): void {
    this.#purpose = purpose;
  }

  run<R>(sql: string, parameters: readonly unknown[]): Promise<SessionResult<R>> {
    return this.#inner.run<R>(sql, parameters);
  }

  release(): void {
    this.#inner.release();
    this.#back();
  }

  destroy(): void {
    this.#inner.destroy();
    this.#back();
  }

  #back(): void {
    const purpose = this.#purpose;
    this.#purpose = undefined;
    if (purpose !== undefined) this.#onBack(purpose);
  }
}

/**
 * Lends the connections of a driver's pool, of which it never asks for more than may be open.
 *
 * A connection that cannot be opened (`max_user_connections`, a pooler's limit, a changed password) costs nobody anything
 * as long as others work: whoever asked for it waits for one of those. Further ones are then tried after a growing pause,
 * one at a time. Where none works, everybody who waits hears why.
 */
export class LendingPool {
  readonly #pool: ServerPool;
  readonly #size: number;
  readonly #lentSessions = new WeakMap<ServerSession, LentSession>();
  readonly #waiting: Readonly<Record<Purpose, Waiter[]>> = { read: [], change: [] };
  /** Connections lent or being opened, by purpose. */
  readonly #out: Record<Purpose, number> = { read: 0, change: 0 };
  /** How many the server is known or believed to grant, 1 or more. */
  #granted: number;
  #refusal: { readonly error: unknown; readonly at: number } | undefined;
  #refusals = 0;
  /** Monotonic milliseconds from which on one more than `#granted` may be tried. */
  #growAt = 0;

  constructor(pool: ServerPool, size: number) {
    this.#pool = pool;
    this.#size = size;
    this.#granted = size;
  }

  /** The latest refusal, for a while; undefined where the server grants what is asked for. */
  get shortage(): Shortage | undefined {
    const refusal = this.#refusal;
    if (refusal === undefined || monotonic() - refusal.at > SHORTAGE_MS) return undefined;
    return { granted: this.#granted, refusal: refusal.error };
  }

  /** Resolves with a connection; rejects with the driver's error where none can be had. The wait is the asker's to bound. */
  take(asker: Asker): Promise<ServerSession> {
    return new Promise((resolve, reject) => {
      const waiter = { asker, resolve, reject, wasRefused: false };
      if (this.#hasRoomFor(asker.purpose)) this.#open(waiter);
      else this.#enqueue(waiter);
    });
  }

  /** Closes every connection, in bounded time. */
  end(): Promise<void> {
    return this.#pool.end();
  }

  get #lent(): number {
    return this.#out.read + this.#out.change;
  }

  #hasRoomFor(purpose: Purpose): boolean {
    const mayGrow = this.#granted < this.#size && this.#lent === this.#granted && monotonic() >= this.#growAt;
    const limit = mayGrow ? this.#granted + 1 : this.#granted;
    return this.#lent < limit && (purpose === 'read' || this.#out.change < limit - keptForReads(limit));
  }

  #enqueue(waiter: Waiter): void {
    const queue = this.#waiting[waiter.asker.purpose];
    if (queue.length >= MAX_QUEUE) {
      const waiting = queue.filter(({ asker }) => !asker.gaveUp);
      queue.splice(0, queue.length, ...waiting);
      if (waiting.length >= MAX_QUEUE) {
        waiter.reject(new QueueFull('too many wait for a connection to the database'));
        return;
      }
    }
    queue.push(waiter);
  }

  #open(waiter: Waiter): void {
    // One try at a time beyond what is granted.
    const grows = this.#lent >= this.#granted;
    if (grows) this.#growAt = Number.POSITIVE_INFINITY;
    this.#out[waiter.asker.purpose] += 1;
    const askedAt = monotonic();
    this.#pool.take().then(
      (session) => this.#opened(session, waiter, grows || session.openedAt >= askedAt),
      (error: unknown) => this.#refused(error, waiter),
    );
  }

  #opened(session: ServerSession, { asker, resolve }: Waiter, isOneMore: boolean): void {
    this.#granted = Math.max(this.#granted, this.#lent);
    if (isOneMore && this.#granted < this.#size) {
      // Where one was granted there may be more.
      this.#growAt = 0;
      this.#refusals = 0;
    }
    let lent = this.#lentSessions.get(session);
    if (lent === undefined) {
      lent = new LentSession(session, (purpose) => this.#back(purpose));
      this.#lentSessions.set(session, lent);
    }
    lent.lendTo(asker.purpose);
    resolve(lent);
    this.#serve();
  }

  #refused(error: unknown, waiter: Waiter): void {
    this.#out[waiter.asker.purpose] -= 1;
    const now = monotonic();
    this.#refusal = { error, at: now };
    this.#granted = Math.max(1, Math.min(this.#granted, this.#lent));
    this.#growAt = now + backoff(this.#refusals, GROWTH_PAUSES);
    this.#refusals += 1;
    if (this.#lent > 0) {
      // It came before those that wait.
      this.#waiting[waiter.asker.purpose].unshift(waiter);
      this.#serve();
      return;
    }
    if (!waiter.wasRefused && !waiter.asker.gaveUp) {
      // A connection may have come back unused while this one was being refused.
      waiter.wasRefused = true;
      this.#open(waiter);
      return;
    }
    waiter.reject(error);
    for (const queue of [this.#waiting.read, this.#waiting.change])
      for (const { reject } of queue.splice(0)) reject(error);
  }

  #back(purpose: Purpose): void {
    this.#out[purpose] -= 1;
    this.#serve();
  }

  #serve(): void {
    for (const purpose of ['read', 'change'] as const) {
      const queue = this.#waiting[purpose];
      while (queue.length > 0 && this.#hasRoomFor(purpose)) {
        const waiter = queue.shift();
        if (waiter !== undefined && !waiter.asker.gaveUp) this.#open(waiter);
      }
    }
  }
}
