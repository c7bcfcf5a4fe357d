import type { Driver } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import type { StorageUnavailable } from '../storage-unavailable.ts';
import { BorrowedConnection, type SessionSource } from './borrowed-connection.ts';
import type { ServerPool } from './server-pool.ts';

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
  /** Why nothing may be asked for now; undefined where it may. */
  readonly refusal?: () => StorageUnavailable | undefined;
}

/**
 * Kysely's driver over a pool of connections to a server. Every query and every transaction has `limitMs` in all. When
 * one misses it or finds its connection lost, idle connections that were last heard of before count as dead too: after
 * a failover that closed no connection, one call finds that out and not one call per connection.
 */
export class ServerDriver implements Driver {
  readonly #pool: ServerPool;
  readonly #options: DriverOptions;
  readonly #source: SessionSource;
  readonly #lent = new Set<BorrowedConnection>();
  #trustedSince = Number.NEGATIVE_INFINITY;

  constructor(pool: ServerPool, options: DriverOptions) {
    this.#pool = pool;
    this.#options = options;
    this.#source = {
      pool,
      meansLost: options.meansLost,
      trustedSince: () => this.#trustedSince,
      onLost: () => this.#distrustBefore(monotonic()),
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<BorrowedConnection> {
    const refusal = this.#options.refusal?.();
    if (refusal !== undefined) throw refusal;
    const askedAt = monotonic();
    const connection = new BorrowedConnection(this.#source, this.#options.limitMs, () =>
      this.#distrustBefore(askedAt),
    );
    await connection.take();
    this.#lent.add(connection);
    return connection;
  }

  #distrustBefore(moment: number): void {
    this.#trustedSince = Math.max(this.#trustedSince, moment);
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
