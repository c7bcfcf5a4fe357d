/** What a database server answered to a statement. */
export interface SessionResult<R> {
  readonly rows: R[];
  /** Rows that a change was made to or matched; undefined for a statement that only reads. */
  readonly affected: bigint | undefined;
  /** The server's word for what it did, where it tells: `ROLLBACK` after a commit that it could not do. */
  readonly command: string | undefined;
}

/** One open connection to a database server; the same object each time the pool lends it out. */
export interface ServerSession {
  /** When the server last answered on it, monotonic milliseconds. */
  answeredAt: number;
  /** When it was opened, monotonic milliseconds. */
  readonly openedAt: number;
  run<R>(sql: string, parameters: readonly unknown[]): Promise<SessionResult<R>>;
  /** Gives it back to the pool. */
  release(): void;
  /** Closes its socket at once, whatever it is doing, and takes it out of the pool; may be called twice. */
  destroy(): void;
}

/** Connections to a database server, of which at most a set number are open at once. */
export interface ServerPool {
  /** Lends out a connection, opening one where none is free; the wait for one is the caller's to bound. */
  take(): Promise<ServerSession>;
  /** Closes every connection, in bounded time. */
  end(): Promise<void>;
}
