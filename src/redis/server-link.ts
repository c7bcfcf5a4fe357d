import { startDeadline } from './deadline.ts';
import { asUnavailable, ErrorReply, faultOf, troubleOf } from './error-reply.ts';
import type { InFlight } from './in-flight.ts';
import { KeptConnection } from './kept-connection.ts';
import type { RedisServer } from './redis-address.ts';
import type { RedisScript } from './redis-link.ts';
import { type RedisFault, type RedisTrouble, RedisUnavailable } from './redis-unavailable.ts';
import type { Login, ServerConnection } from './server-connection.ts';
import { HEARTBEAT_MS, REFUSED_PAUSE_MS, stallMs } from './timings.ts';

/** A command and its arguments. */
export interface Command {
  readonly name: string;
  readonly args: readonly (string | number)[];
  /** Sent behind ASKING: the slot is on its way to this server. */
  readonly asking?: boolean;
}

/** What a link to one server needs. */
export interface ServerLinkOptions {
  readonly find: (signal: AbortSignal) => Promise<RedisServer>;
  readonly login: Login;
  /** Milliseconds within which the server must answer a probe. */
  readonly timeoutMs: number;
  readonly inFlight: InFlight;
  /** Shows that the server does its work; rejects where it does not. */
  readonly probe: (connection: ServerConnection) => Promise<void>;
  /** What is made known to the server on every new connection. */
  readonly scripts: readonly RedisScript[];
  /** Told once per change; undefined is up. At first nothing is told. */
  readonly changed: (trouble: RedisTrouble | undefined) => void;
}

/** Faults that another connection may end: the server that is found then can be another one. */
const RENEW: ReadonlySet<RedisFault> = new Set([
  'read-only',
  'login-refused',
  'cluster-server',
  'no-cluster',
]);

/**
 * Commands to one Redis server. Up: a connection stands and its last probe was answered. A command that is not answered
 * in time takes it down at once and a probe goes out; when that is answered it is up again, and when it stays
 * unanswered the connection is given up and made anew. A probe also goes out every second, after a command whose own limit
 * was much shorter than the server's, and after any answer that tells of trouble with the server; these take the link down
 * only if the probe meets the trouble as well.
 */
export class ServerLink {
  readonly #options: ServerLinkOptions;
  readonly #kept: KeptConnection;
  #connection: ServerConnection | undefined;
  #trouble: RedisTrouble | undefined = { fault: 'connecting' };
  #probing = false;
  #next: NodeJS.Timeout | undefined;
  #told = false;

  constructor(options: ServerLinkOptions) {
    this.#options = options;
    this.#kept = new KeptConnection({
      find: options.find,
      login: options.login,
      limitMs: stallMs(options.timeoutMs),
      prepare: async (connection) => {
        await options.probe(connection);
        await loadScripts(connection, options.scripts);
      },
      stands: (connection) => this.#stands(connection),
      lost: (trouble) => this.#lost(trouble),
    });
  }

  /** Why it is down; undefined while it is up. */
  get trouble(): RedisTrouble | undefined {
    return this.#trouble;
  }

  /** The connection that stands, whether or not it is up; another object after each reconnecting. */
  get connection(): ServerConnection | undefined {
    return this.#connection;
  }

  /** Sends a command unless down. Rejects with `RedisUnavailable` (after `limitMs` at the latest) or `ErrorReply`. */
  call({ name, args, asking = false }: Command, limitMs: number): Promise<unknown> {
    const connection = this.#connection;
    if (this.#trouble !== undefined || connection === undefined) {
      return Promise.reject(new RedisUnavailable(this.#trouble?.fault ?? 'connecting'));
    }
    if (limitMs <= 0) return Promise.reject(new RedisUnavailable('timeout'));
    if (!this.#options.inFlight.enter()) return Promise.reject(new RedisUnavailable('overloaded'));
    return new Promise((resolve, reject) => {
      const cancel = startDeadline(limitMs, () => {
        reject(new RedisUnavailable('timeout'));
        if (limitMs * 2 > this.#options.timeoutMs) this.#late(connection);
        else this.#probe(connection);
      });
      // An ASKING that fails makes the command behind it fail.
      if (asking) connection.call('ASKING').catch(() => {});
      connection
        .call(name, args)
        .finally(() => {
          cancel();
          this.#options.inFlight.leave();
        })
        .then(resolve, (error: unknown) => {
          if (faultOf(error) !== undefined) this.#probe(connection);
          reject(error);
        });
    });
  }

  /** Probes the server now; resolves when it works, rejects with `RedisUnavailable` after `timeoutMs` at the latest. */
  check(): Promise<void> {
    const connection = this.#connection;
    if (this.#trouble !== undefined || connection === undefined) {
      return Promise.reject(new RedisUnavailable(this.#trouble?.fault ?? 'connecting'));
    }
    const { probe, timeoutMs } = this.#options;
    return new Promise((resolve, reject) => {
      const cancel = startDeadline(timeoutMs, () => {
        reject(new RedisUnavailable('timeout'));
        this.#late(connection);
      });
      probe(connection)
        .finally(cancel)
        .then(resolve, (error: unknown) => reject(asUnavailable(error)));
    });
  }

  async close(): Promise<void> {
    await this.#kept.close();
    clearTimeout(this.#next);
  }

  #stands(connection: ServerConnection): void {
    this.#connection = connection;
    this.#change(undefined);
    this.#probeIn(HEARTBEAT_MS);
  }

  #lost(trouble: RedisTrouble): void {
    clearTimeout(this.#next);
    this.#connection = undefined;
    // The connection ends because of a trouble that was quoted before.
    this.#change(this.#trouble?.fault === trouble.fault ? { ...this.#trouble, ...trouble } : trouble);
  }

  #change(trouble: RedisTrouble | undefined): void {
    const before = this.#told ? this.#trouble === undefined : undefined;
    this.#trouble = trouble;
    const now = trouble === undefined;
    if (before === now || trouble?.fault === 'closed') return;
    this.#told = true;
    this.#options.changed(trouble);
  }

  #late(connection: ServerConnection): void {
    if (connection !== this.#connection) return;
    this.#change({ fault: 'timeout' });
    this.#probe(connection);
  }

  #probeIn(ms: number): void {
    clearTimeout(this.#next);
    const connection = this.#connection;
    if (connection === undefined) return;
    this.#next = setTimeout(() => this.#probe(connection), ms);
  }

  /** Sends a probe unless one is on its way. */
  #probe(connection: ServerConnection): void {
    if (this.#probing || connection !== this.#connection) return;
    this.#probing = true;
    clearTimeout(this.#next);
    const { probe, timeoutMs } = this.#options;
    const cancelLate = startDeadline(timeoutMs, () => this.#late(connection));
    const cancelStalled = startDeadline(stallMs(timeoutMs), () => connection.drop('timeout'));
    probe(connection)
      .finally(() => {
        this.#probing = false;
        cancelLate();
        cancelStalled();
      })
      .then(
        () => this.#answered(connection, undefined),
        (error: unknown) => this.#answered(connection, troubleOf(error) ?? { fault: 'connection-lost' }),
      );
  }

  #answered(connection: ServerConnection, trouble: RedisTrouble | undefined): void {
    if (connection !== this.#connection) return;
    this.#change(trouble);
    if (trouble !== undefined && RENEW.has(trouble.fault)) connection.drop(trouble.fault);
    else this.#probeIn(trouble === undefined ? HEARTBEAT_MS : REFUSED_PAUSE_MS);
  }
}

/**
 * Makes scripts known to a server before anything is sent to it: commands then keep their order, of which a script that
 * must be sent a second time would fall out. A server that refuses is sent the text when it is needed.
 */
async function loadScripts(connection: ServerConnection, scripts: readonly RedisScript[]): Promise<void> {
  const load = async ({ lua }: RedisScript): Promise<void> => {
    try {
      await connection.call('SCRIPT', ['LOAD', lua]);
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw error;
    }
  };
  await Promise.all(scripts.map(load));
}
