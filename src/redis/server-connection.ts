import { Redis } from 'ioredis';
import { errorCode } from '../lib/error-code.ts';
import { ErrorReply } from './error-reply.ts';
import type { RedisServer } from './redis-address.ts';
import { type RedisFault, RedisUnavailable } from './redis-unavailable.ts';

/** As whom to connect, and how. */
export interface Login {
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
  readonly tls: boolean;
  readonly ca: string | undefined;
}

const KEEP_ALIVE_MS = 10_000;

/** Milliseconds from dropping a connection to counting it as ended, at the latest. */
const LINGER_MS = 1_000;

/** What OpenSSL says if the peer speaks something else. */
const NO_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG/;
/** https://nodejs.org/api/tls.html#x509-certificate-error-codes and OpenSSL's own errors. */
const UNTRUSTED = /CERT|SIGNATURE|ISSUER|ERR_SSL|ERR_TLS|EPROTO|CRL|HOSTNAME_MISMATCH|INVALID_CA|PATH_LENGTH/;

/**
 * One connection to one Redis server, from its making to its end; never made anew. ioredis writes and reads on it, and
 * all that it does by itself beyond that (queues, retries, reconnecting) is off: here every failure is told at once.
 */
export class ServerConnection {
  /** Resolves with the reason once the connection has ended, whoever ended it. */
  readonly ended: Promise<RedisFault>;
  readonly #redis: Redis;
  readonly #login: Login;
  readonly #end: () => void;
  #fault: RedisFault | undefined;
  #lingering: NodeJS.Timeout | undefined;
  #over = false;

  constructor(server: RedisServer, login: Login) {
    this.#login = login;
    this.#redis = new Redis({
      ...server,
      ...(login.tls ? { tls: tlsOptions(login.ca) } : {}),
      lazyConnect: true,
      connectTimeout: 0,
      // Its timer would outlive a connection that had already ended.
      disconnectTimeout: 0,
      keepAlive: KEEP_ALIVE_MS,
      retryStrategy: () => null,
      enableOfflineQueue: false,
      enableReadyCheck: false,
      autoResubscribe: false,
      autoResendUnfulfilledCommands: false,
      disableClientInfo: true,
    });
    this.#redis.on('error', (error: unknown) => this.drop(networkFault(error)));
    // SSUBSCRIBE at the wrong server: ioredis tells this, and its promise is never settled.
    this.#redis.on('moved', () => this.drop('cluster-down'));
    const end = Promise.withResolvers<RedisFault>();
    this.#end = () => {
      this.#over = true;
      clearTimeout(this.#lingering);
      end.resolve(this.#lost);
    };
    this.#redis.once('end', this.#end);
    this.ended = end.promise;
  }

  /** Connects and logs in; rejects with `RedisUnavailable` or `ErrorReply`. Whoever opens it bounds the time by `drop`. */
  async open(): Promise<void> {
    const { username, password, database } = this.#login;
    try {
      await this.#whileOpen(this.#redis.connect());
    } catch (cause) {
      // The event that told the reason came first; without one the peer just closed.
      throw new RedisUnavailable(this.#fault ?? 'unreachable', { cause });
    }
    const account = password === undefined ? [] : username === undefined ? [password] : [username, password];
    if (account.length > 0) await this.#enter('AUTH', account, 'login-refused');
    if (database !== 0) await this.#enter('SELECT', [database], 'no-database');
    if (account.length === 0 && database === 0) await this.#hear();
  }

  /**
   * Hears the answer to one command before others go out. A server that turns a connection away says why and closes it,
   * and a second write to a closed connection can lose what it said.
   */
  async #hear(): Promise<void> {
    try {
      await this.call('PING');
    } catch (error) {
      // A user needs no right to PING.
      if (!(error instanceof ErrorReply) || error.fault !== 'not-permitted') throw error;
    }
  }

  /** Sends a command now; rejects with `ErrorReply`, or with `RedisUnavailable` when the connection ends first. */
  async call(command: string, args: readonly (string | number)[] = []): Promise<unknown> {
    try {
      return await this.#redis.call(command, [...args]);
    } catch (error) {
      // The error of ioredis holds the arguments, which nobody may log: its text is all that is passed on.
      if (error instanceof Error && error.name === 'ReplyError') throw new ErrorReply(error.message);
      throw new RedisUnavailable(this.#lost);
    }
  }

  async #enter(command: string, args: readonly (string | number)[], refused: RedisFault): Promise<void> {
    try {
      await this.call(command, args);
    } catch (error) {
      // A server without any password refuses AUTH with a plain ERR.
      const plain = error instanceof ErrorReply && error.fault === undefined;
      throw plain ? new RedisUnavailable(refused, { cause: error, said: error.said }) : error;
    }
  }

  /**
   * Subscribes; resolves once it stands. Rejects with `ErrorReply`, or with `RedisUnavailable` when the connection ends
   * first, as it does at a server of a Cluster that has not got the channel's slot. Only PING may be called afterwards.
   */
  async subscribe(channel: string, sharded: boolean, onMessage: (message: string) => void): Promise<void> {
    this.#redis.on(sharded ? 'smessage' : 'message', (_channel: string, message: string) =>
      onMessage(message),
    );
    try {
      await this.#whileOpen(sharded ? this.#redis.ssubscribe(channel) : this.#redis.subscribe(channel));
    } catch (error) {
      if (error instanceof Error && error.name === 'ReplyError') throw new ErrorReply(error.message);
      throw new RedisUnavailable(this.#lost);
    }
  }

  /** What is done once for each connection ends with it at the latest, also where ioredis never tells how it went. */
  async #whileOpen(work: Promise<unknown>): Promise<void> {
    const ended = this.ended.then((fault) => {
      throw new RedisUnavailable(fault);
    });
    await Promise.race([work, ended]);
  }

  get #lost(): RedisFault {
    return this.#fault ?? (this.#isMismatch('connection-lost') ? 'tls-mismatch' : 'connection-lost');
  }

  /**
   * A server without TLS waits for the rest of what is a handshake; one with TLS closes a connection that sends something
   * else. Both send nothing.
   */
  #isMismatch(fault: RedisFault): boolean {
    const { stream } = this.#redis;
    if (stream === undefined || stream.connecting || stream.bytesRead > 0) return false;
    return fault === (this.#login.tls ? 'timeout' : 'connection-lost');
  }

  /** Ends the connection now; what is in flight is rejected with this fault, unless there was one before. */
  drop(fault: RedisFault): void {
    this.#fault ??= this.#isMismatch(fault) ? 'tls-mismatch' : fault;
    this.#redis.disconnect();
    // Without this a silent peer would keep the socket for another 2 s.
    this.#redis.stream?.destroy();
    // Whoever waits for the end must not depend on ioredis telling it, which it need not in every state.
    if (!this.#over) this.#lingering ??= setTimeout(this.#end, LINGER_MS);
  }
}

function tlsOptions(ca: string | undefined) {
  return {
    rejectUnauthorized: true,
    ...(ca === undefined ? {} : { ca }),
  };
}

function networkFault(error: unknown): RedisFault {
  const code = errorCode(error) ?? '';
  if (NO_TLS.test(code)) return 'tls-mismatch';
  if (UNTRUSTED.test(code)) return 'untrusted';
  return code === 'ECONNRESET' || code === 'EPIPE' || code === '' ? 'connection-lost' : 'unreachable';
}
