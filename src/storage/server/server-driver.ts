import type { CompiledQuery, Driver, QueryResult } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import type { StorageUnavailable } from '../storage-unavailable.ts';
import { BorrowedConnection, type SessionSource } from './borrowed-connection.ts';
import type { LendingPool, Purpose } from './lending-pool.ts';

/** A transaction that the server rolled back where it was asked to commit. */
class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
}

/** The driver was closed while a statement was under way. */
class DriverClosed extends Error {
  override readonly name = 'DriverClosed';
}

/** How a driver may use its pool. */
interface DriverOptions {
  readonly limitMs: number;
  readonly meansLost: (error: unknown) => boolean;
  /** Whether the error may be the session's alone: a new one could lead to another server, or have other rights. */
  readonly meansOutdated: (error: unknown) => boolean;
  /** Why nothing may be asked for now; undefined where it may. */
  readonly refusal?: () => StorageUnavailable | undefined;
}

/** Younger connections are not replaced as outdated: a new one would most likely meet the same. */
const OUTDATED_PAUSE_MS = 1_000;

/**
 * Kysely's driver over a pool of connections to a server. Every query and every transaction has `limitMs` in all. When
 * one misses it or finds its connection lost, idle connections that were last heard of before count as dead too: after
 * a failover that closed no connection, one call finds that out and not one call per connection. If the server turns
 * out to only read, or to refuse the user what it was asked, all connections are replaced: they may lead to a primary that
 * became a standby, or have rights that were changed since.
 */
export class ServerDriver implements Driver {
  readonly #pool: LendingPool;
  readonly #options: DriverOptions;
  readonly #source: SessionSource;
  readonly #lent = new Set<BorrowedConnection>();
  /** Monotonic milliseconds: connections that were last heard of, or were opened, before are not used any more. */
  #heardSince = Number.NEGATIVE_INFINITY;
  #openedSince = Number.NEGATIVE_INFINITY;

  constructor(pool: LendingPool, options: DriverOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#source = {
      pool,
      meansLost: options.meansLost,
      isTrusted: ({ answeredAt, openedAt }) =>
        answeredAt >= this.#heardSince && openedAt >= this.#openedSince,
      onLost: () => this.#distrustBefore(monotonic()),
      onError: (error) => {
        if (options.meansOutdated(error)) this.#openedSince = monotonic() - OUTDATED_PAUSE_MS;
      },
    };
  }

  async init(): Promise<void> {}

  acquireConnection(): Promise<BorrowedConnection> {
    return this.#borrow('change');
  }

  /** Runs what only reads, outside any transaction: changes that wait for a lock do not keep it from a connection. */
  async read<Row>(query: CompiledQuery<Row>): Promise<QueryResult<Row>> {
    const connection = await this.#borrow('read');
    try {
      return await connection.executeQuery<Row>(query);
    } finally {
      await this.releaseConnection(connection);
    }
  }

  async #borrow(purpose: Purpose): Promise<BorrowedConnection> {
    const refusal = this.#options.refusal?.();
    if (refusal !== undefined) throw refusal;
    const askedAt = monotonic();
    const connection = new BorrowedConnection(this.#source, purpose, this.#options.limitMs, () =>
      this.#distrustBefore(askedAt),
    );
    await connection.take();
    this.#lent.add(connection);
    return connection;
  }

  #distrustBefore(moment: number): void {
    this.#heardSince = Math.max(this.#heardSince, moment);
  }

  async beginTransaction(connection: BorrowedConnection): Promise<void> {
    await connection.begin();
  }

  async commitTransaction(connection: BorrowedConnection): Promise<void> {
    const { command } = await connection.run('commit');
    if (command === 'ROLLBACK')
      throw new CommitRefused('the transaction was rolled back instead of committed');
  }

  async rollbackTransaction(connection: BorrowedConnection): Promise<void> {
    try {
      await connection.run('rollback');
    } catch {
      // The error that made the rollback necessary is the one to tell; closing the connection rolls back as well.
      connection.spoil();
    }
  }

  async releaseConnection(connection: BorrowedConnection): Promise<void> {
    this.#lent.delete(connection);
    connection.giveBack();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
    // `mysql2` never calls back what was asked on a connection that is closed from this side.
    for (const connection of this.#lent) connection.giveUp(new DriverClosed('the connection was closed'));
  }
}
