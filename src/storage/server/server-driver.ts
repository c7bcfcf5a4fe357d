import type { Driver } from 'kysely';
import { monotonic } from '../../lib/monotonic.ts';
import { BorrowedConnection } from './borrowed-connection.ts';
import type { ServerPool } from './server-pool.ts';

/** A transaction that the server rolled back where it was asked to commit. */
class CommitRefused extends Error {
  override readonly name = 'CommitRefused';
}

/**
 * Kysely's driver over a pool of connections to a server. Every query and every transaction has `limitMs` in all. When
 * one misses it, idle connections that were last heard of before count as dead too: after a failover that closed no
 * connection, one call finds that out and not one call per connection.
 */
export class ServerDriver implements Driver {
  readonly #pool: ServerPool;
  readonly #limitMs: number;
  #trustedSince = Number.NEGATIVE_INFINITY;

  constructor(pool: ServerPool, limitMs: number) {
    this.#pool = pool;
    this.#limitMs = limitMs;
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<BorrowedConnection> {
    const askedAt = monotonic();
    const connection = new BorrowedConnection(this.#limitMs, () => {
      this.#trustedSince = Math.max(this.#trustedSince, askedAt);
    });
    await connection.take(this.#pool, () => this.#trustedSince);
    return connection;
  }

  async beginTransaction(connection: BorrowedConnection): Promise<void> {
    await connection.run('begin');
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
    connection.giveBack();
  }

  async destroy(): Promise<void> {
    await this.#pool.end();
  }
}
