import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import { DeadlineMissed } from './deadline-missed.ts';
import type { Asker, LendingPool, Purpose } from './lending-pool.ts';
import type { ServerSession, SessionResult } from './server-pool.ts';

/** Where connections come from, and what is known of them. */
export interface SessionSource {
  readonly pool: LendingPool;
  /** Whether a connection may be used: neither counts as dead nor as outdated. */
  isTrusted(session: Pick<ServerSession, 'answeredAt' | 'openedAt'>): boolean;
  /** Whether the error means that the connection is lost and the statement has no answer. */
  meansLost(error: unknown): boolean;
  /** Told when a connection turned out to be lost. */
  onLost(): void;
  /** Told of every error that a statement met, before the connection is given back. */
  onError(error: unknown): void;
}

/**
 * A connection while one query or transaction has it. From asking for it to giving it back, `limitMs` may pass; then
 * whatever it waits for rejects with `DeadlineMissed` and its socket is closed, since what the server still makes of
 * the statement is unknown. A server that is paused, stuck or gone without a word costs no more than that.
 */
export class BorrowedConnection implements DatabaseConnection, Asker {
  readonly purpose: Purpose;
  readonly #late = Promise.withResolvers<never>();
  readonly #timer: NodeJS.Timeout;
  readonly #source: SessionSource;
  #session: ServerSession | undefined;
  #spoiled = false;
  #inTransaction = false;

  constructor(source: SessionSource, purpose: Purpose, limitMs: number, onMissed: () => void) {
    this.#source = source;
    this.purpose = purpose;
    // The wait may be over before anybody races against it.
    this.#late.promise.catch(() => {});
    this.#timer = setTimeout(() => {
      onMissed();
      this.giveUp(this.#whyLate(limitMs));
    }, limitMs);
  }

  get gaveUp(): boolean {
    return this.#spoiled;
  }

  /** Who had no connection at all because the server grants too few hears that, in the server's words. */
  #whyLate(limitMs: number): Error {
    const refusal = this.#session === undefined ? this.#source.pool.shortage?.refusal : undefined;
    return refusal instanceof Error ? refusal : new DeadlineMissed(limitMs);
  }

  /** Whatever it waits for rejects with `reason`, and its socket is closed. */
  giveUp(reason: Error): void {
    clearTimeout(this.#timer);
    this.#spoiled = true;
    this.#session?.destroy();
    this.#late.reject(reason);
  }

  /** Takes a connection of the pool that does not count as dead. */
  async take(): Promise<void> {
    try {
      for (;;) {
        const session = await this.#takeAny(this.#source.pool);
        if (this.#source.isTrusted(session)) {
          this.#session = session;
          return;
        }
        session.destroy();
      }
    } catch (error) {
      clearTimeout(this.#timer);
      throw error;
    }
  }

  async #takeAny(pool: LendingPool): Promise<ServerSession> {
    const taking = pool.take(this);
    try {
      return await Promise.race([taking, this.#late.promise]);
    } catch (error) {
      // One that comes after all is for somebody else.
      if (this.#spoiled) taking.then((session) => session.release()).catch(() => {});
      throw error;
    }
  }

  /** Runs a statement; rejects with the driver's error or `DeadlineMissed`. */
  async run<R>(sql: string, parameters: readonly unknown[] = []): Promise<SessionResult<R>> {
    const session = this.#session;
    if (session === undefined) throw new Error('this connection was given back');
    try {
      const result = await Promise.race([session.run<R>(sql, parameters), this.#late.promise]);
      session.answeredAt = monotonic();
      return result;
    } catch (error) {
      this.#source.onError(error);
      throw error;
    }
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const isRead = query.query.kind === 'SelectQueryNode';
    const { rows, affected } = await (isRead && !this.#inTransaction
      ? this.#runAgainWhereLost<R>(query.sql, query.parameters)
      : this.run<R>(query.sql, query.parameters));
    return affected === undefined ? { rows } : { rows, numAffectedRows: affected };
  }

  /** Begins a transaction; what follows belongs to it. */
  async begin(): Promise<void> {
    await this.#runAgainWhereLost('begin', []);
    this.#inTransaction = true;
  }

  /**
   * A connection of the pool may be dead without our knowledge: the server was restarted, a firewall has forgotten it.
   * What changes nothing is asked once more, on a connection made after that was found out, in the time that is left.
   */
  async #runAgainWhereLost<R>(sql: string, parameters: readonly unknown[]): Promise<SessionResult<R>> {
    try {
      return await this.run<R>(sql, parameters);
    } catch (error) {
      if (!this.#source.meansLost(error)) throw error;
      this.#source.onLost();
      this.#session?.destroy();
      this.#session = undefined;
      await this.take();
      return this.run<R>(sql, parameters);
    }
  }

  // biome-ignore lint/correctness/useYield: nothing of ours reads a result bit by bit
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('results are not streamed');
  }

  /** Nobody may use the connection after this query: its transaction is in an unknown state. */
  spoil(): void {
    this.#spoiled = true;
  }

  /** Gives the connection back, or closes it where nobody may use it any more. */
  giveBack(): void {
    clearTimeout(this.#timer);
    const session = this.#session;
    this.#session = undefined;
    if (session === undefined) return;
    if (this.#spoiled || !this.#source.isTrusted(session)) session.destroy();
    else session.release();
  }
}
