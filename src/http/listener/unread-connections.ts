import type { Server, Socket } from 'node:net';
import { type Connection, isStalled } from './connection.ts';
import { unsentBytes } from './unsent-bytes.ts';

/** Finds connections whose client does not read. */
export class UnreadConnections {
  readonly #bySocket: ReadonlyMap<Socket, Connection>;
  /** Those found lately. */
  readonly #found: Connection[] = [];
  #lookAgainAt = 0;

  /** Under TLS there are two sockets for each connection. */
  constructor(bySocket: ReadonlyMap<Socket, Connection>) {
    this.#bySocket = bySocket;
  }

  /**
   * Calls `close` for each connection of which no byte has left for `limitMs` although some wait. Looks five times in `limitMs`:
   * a look costs some 0.5 µs for each call that waits.
   */
  watch(server: Server, limitMs: number, close: (stalled: Connection) => void): void {
    const look = (): void => {
      const now = performance.now();
      for (const [socket, connection] of this.#bySocket) {
        if (socket.writableLength > 0 && isStalled(connection, now, limitMs)) close(connection);
      }
    };
    const timer = setInterval(look, limitMs / 5).unref();
    server.once('close', () => clearInterval(timer));
  }

  /** Looks through all connections, which is done once a millisecond for each thousand of them at most. */
  next(): Connection | undefined {
    const now = performance.now();
    if (this.#found.length === 0 && now >= this.#lookAgainAt) {
      this.#lookAgainAt = now + Math.max(1, this.#bySocket.size / 1_000);
      for (const [socket, connection] of this.#bySocket) {
        if (socket.writableLength > 0) this.#found.push(connection);
      }
    }
    for (let next = this.#found.pop(); next !== undefined; next = this.#found.pop()) {
      if (!next.isClosed && unsentBytes(next.socket) > 0) return next;
    }
    return undefined;
  }
}
