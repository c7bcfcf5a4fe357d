/** How a database server may be used. */
export interface ServerLimits {
  /** Connections open at once, 1 or more. */
  readonly poolSize: number;
  /** Milliseconds for one query or one transaction, the wait for a connection included. */
  readonly timeoutMs: number;
}

/** What a running service uses when nothing else is said; `DATABASE_POOL_SIZE` and `DATABASE_TIMEOUT`. */
export const SERVICE_LIMITS: ServerLimits = { poolSize: 10, timeoutMs: 800 };

/** What a command uses: nobody waits on the telephone, and it may change many rows at once. */
export const COMMAND_LIMITS: ServerLimits = { poolSize: 2, timeoutMs: 60_000 };

/** What migrating uses: it waits for other processes that migrate, and may rebuild a large table. */
export const MIGRATION_LIMITS: ServerLimits = { poolSize: 1, timeoutMs: 600_000 };

/** Milliseconds that a new connection may take, when there is a larger limit for what follows. */
export const CONNECT_LIMIT_MS = 5_000;

/** Milliseconds that connections may take to close in order, before their sockets are closed. */
export const CLOSE_LIMIT_MS = 500;

/**
 * Milliseconds after which the server ends a transaction that asks nothing: one of a process that was stopped in the
 * middle must not hold its row locks for ever.
 */
export function idleLimit(timeoutMs: number): number {
  return Math.max(timeoutMs, 5_000);
}
