import type { CompiledQuery, DatabaseConnection, QueryResult } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import { DeadlineMissed } from './deadline-missed.ts';
import type { ServerPool, ServerSession, SessionResult } from './server-pool.ts';

/**
 * A connection while one query or transaction has it. From asking for it to giving it back, `limitMs` may pass; then
 * whatever it waits for rejects with `DeadlineMissed` and its socket is closed, since what the server still makes of
 * the statement is unknown. A server that is paused, stuck or gone without a word costs no more than that.
 */
export class BorrowedConnection implements DatabaseConnection {
  readonly #late = Promise.withResolvers<never>();
  readonly #timer: NodeJS.Timeout;
  #session: ServerSession | undefined;
  #spoiled = false;

  constructor(limitMs: number, onMissed: () => void) {
    // The wait may be over before anybody races against it.
    this.#late.promise.catch(() => {});
    this.#timer = setTimeout(() => {
      this.#spoiled = true;
      this.#session?.destroy();
      onMissed();
      this.#late.reject(new DeadlineMissed(limitMs));
    }, limitMs);
  }

  /** Takes a connection of the pool on which the server was heard of since `trustedSince` (monotonic milliseconds). */
  async take(pool: ServerPool, trustedSince: () => number): Promise<void> {
    try {
      for (;;) {
        const session = await this.#takeAny(pool);
        if (session.answeredAt >= trustedSince()) {
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

  async #takeAny(pool: ServerPool): Promise<ServerSession> {
    const taking = pool.take();
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
    const result = await Promise.race([session.run<R>(sql, parameters), this.#late.promise]);
    session.answeredAt = monotonic();
    return result;
  }

  async executeQuery<R>(query: CompiledQuery): Promise<QueryResult<R>> {
    const { rows, affected } = await this.run<R>(query.sql, query.parameters);
    return affected === undefined ? { rows } : { rows, numAffectedRows: affected };
  }

  // biome-ignore lint/correctness/useYield: nothing of ours reads a result bit by bit
  async *streamQuery<R>(): AsyncIterableIterator<QueryResult<R>> {
    throw new Error('results are not streamed');
  }

  /** Nobody may use the connection after this query: its transaction is in an unknown state. */
  spoil(): void {
    this.#spoiled = true;
  }

  /** Gives the connection back, or closes it where it was spoiled. */
  giveBack(): void {
    clearTimeout(this.#timer);
    if (this.#spoiled) this.#session?.destroy();
    else this.#session?.release();
    this.#session = undefined;
  }
}
