import { setTimeout as delay } from 'node:timers/promises';
import { backoff } from '../lib/backoff.ts';
import { startDeadline } from './deadline.ts';
import { troubleOf } from './error-reply.ts';
import type { RedisServer } from './redis-address.ts';
import { type RedisFault, type RedisTrouble, RedisUnavailable } from './redis-unavailable.ts';
import { type Login, ServerConnection } from './server-connection.ts';
import { RECONNECT } from './timings.ts';

/** What is to be kept connected. */
export interface Keeping {
  /** Where the server is now; asked before every try. Ends soon by itself, or when the signal aborts. */
  readonly find: (signal: AbortSignal) => Promise<RedisServer>;
  readonly login: Login;
  /** Milliseconds for connecting, logging in and `prepare` together. */
  readonly limitMs: number;
  /** Makes the new connection ready; a rejection ends it. */
  readonly prepare: (connection: ServerConnection) => Promise<void>;
  /** The connection is ready. */
  readonly stands: (connection: ServerConnection) => void;
  /** A connection ended or could not be made. The next try follows by itself. */
  readonly lost: (trouble: RedisTrouble) => void;
}

/** Keeps one connection: as soon as it ends, another is made, for ever, with growing pauses while that fails. */
export class KeptConnection {
  readonly #keeping: Keeping;
  readonly #stop = new AbortController();
  readonly #life: Promise<void>;
  #current: ServerConnection | undefined;

  constructor(keeping: Keeping) {
    this.#keeping = keeping;
    this.#life = this.#live();
  }

  /** Ends the present connection, so that a new one is made. */
  renew(fault: RedisFault): void {
    this.#current?.drop(fault);
  }

  async close(): Promise<void> {
    this.#stop.abort();
    this.renew('closed');
    await this.#life;
  }

  async #live(): Promise<void> {
    let failures = 0;
    while (!this.#stop.signal.aborted) {
      const { stood, trouble } = await this.#once();
      if (this.#stop.signal.aborted) break;
      this.#keeping.lost(trouble);
      failures = stood ? 0 : failures + 1;
      await this.#pause(backoff(failures, RECONNECT));
    }
    this.#keeping.lost({ fault: 'closed' });
  }

  async #once(): Promise<{ readonly stood: boolean; readonly trouble: RedisTrouble }> {
    const { find, login, limitMs, prepare, stands } = this.#keeping;
    let connection: ServerConnection | undefined;
    try {
      const server = await find(this.#stop.signal);
      if (this.#stop.signal.aborted) return { stood: false, trouble: { fault: 'closed' } };
      connection = new ServerConnection(server, login);
      this.#current = connection;
      const opening = connection;
      const cancel = startDeadline(limitMs, () => opening.drop('timeout'));
      try {
        await connection.open();
        await prepare(connection);
      } finally {
        cancel();
      }
    } catch (error) {
      // A surprise must not end the tries: it counts as a connection that was lost.
      const trouble = troubleOf(error) ?? { fault: 'connection-lost' };
      connection?.drop(trouble.fault);
      await connection?.ended;
      return { stood: false, trouble };
    }
    stands(connection);
    return { stood: true, trouble: { fault: await connection.ended } };
  }

  async #pause(ms: number): Promise<void> {
    try {
      await delay(ms, undefined, { signal: this.#stop.signal });
    } catch (error) {
      if (!this.#stop.signal.aborted) throw new RedisUnavailable('closed', { cause: error });
    }
  }
}
