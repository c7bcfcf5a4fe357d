import type { RequestListener, ServerResponse } from 'node:http';
import { type Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { type ClosedBecause, type Connection, type ConnectionLimits, newConnection } from './connection.ts';
import { IdleConnections } from './idle-connections.ts';
import { Pipeline } from './pipeline.ts';
import { isStillComing } from './still-coming.ts';
import { TlsHandshakes } from './tls-handshakes.ts';
import { UnreadConnections } from './unread-connections.ts';

/** Connections without a request that are kept however many calls wait: apps have to reach the service. */
const LEAST_IDLE = 50;
/** Milliseconds that a connection beyond the bound has for its request, and that a response may make no progress. */
const LAST_CHANCE_MS = 2_000;
const STALLED_MS = 15_000;
const SWEEP_MS = 1_000;

/**
 * Bounds the connections of a listener. Otherwise a client could take all open files of the process by opening connections,
 * and no PBX could connect.
 *
 * | a connection | when too many are open |
 * | --- | --- |
 * | does not read its response, or does not close after its last one | is closed first |
 * | has no whole request, for longest | gets 2 s to send one, which is answered as any other; then it is closed |
 * | is one of too many of these | is closed at once |
 * | has a request that is being answered, such as a waiting call | stays |
 */
export class ConnectionBound {
  /** Connections that were made since the start; others only read it. */
  made = 0;
  readonly #limits: ConnectionLimits;
  readonly #stalledMs: number;
  /** By the sockets that requests come over: under TLS there are two for each connection. */
  readonly #bySocket = new Map<Socket, Connection>();
  #latest: Connection | undefined;
  readonly #handshakes = new TlsHandshakes();
  readonly #idle = new IdleConnections<Connection>();
  /** Those with a last chance, the one that closes next first. */
  readonly #leaving = new Set<Connection>();
  readonly #unread = new UnreadConnections(this.#bySocket);
  /** Those that got their last answer and are to close, the one that is reset next first. */
  readonly #ending = new Set<Connection>();
  #handle: RequestListener = () => {};
  #open = 0;
  /** When a connection, its handshake or a request came last. */
  #newsAt = 0;
  #drainsSince: number | undefined;

  constructor(limits: ConnectionLimits) {
    this.#limits = limits;
    this.#stalledMs = limits.stalledMs ?? STALLED_MS;
  }

  /** Connections that are open. */
  get size(): number {
    return this.#open;
  }

  /** Follows the connections of a server; of a TLS server also those in their handshake. */
  watch(server: Server): void {
    const isSecure = server instanceof TlsServer;
    server.on('connection', (socket) => {
      const connection = this.#came(socket);
      if (isSecure) this.#handshakes.begin(connection);
    });
    if (isSecure) server.on('secureConnection', (secure) => this.#secured(secure));
    const sweep = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#stalledMs / 3)).unref();
    server.once('close', () => clearInterval(sweep));
    this.#unread.watch(server, this.#stalledMs, (stalled) => this.#close(stalled, 'unread'));
  }

  /** A server's listener that hands the requests on, each when its connection may have it. */
  follow(handle: RequestListener): RequestListener {
    this.#handle = (request, response) => {
      if (this.#drainsSince !== undefined || this.#limits.isStopping?.()) response.shouldKeepAlive = false;
      handle(request, response);
    };
    return (request, response) => {
      const connection = this.#of(request.socket);
      if (connection !== undefined) this.#admit(connection, response);
      else if (!request.socket.destroyed) this.#handle(request, response);
    };
  }

  /** The whole of a request has come. */
  requestIsWhole(socket: Socket): void {
    const connection = this.#of(socket);
    if (connection === undefined) return;
    connection.closesAt = undefined;
    this.#leaving.delete(connection);
    this.#idle.delete(connection);
    this.#makeRoom();
  }

  /** Undefined: the connection is closed. */
  requestsOf(socket: Socket): Pipeline | undefined {
    return this.#of(socket)?.requests;
  }

  /** Closes every connection now, those in their handshake too. */
  cutAll(): void {
    for (const connection of this.#bySocket.values()) this.#cut(connection);
  }

  /** From now on each answer closes its connection. */
  drain(): void {
    this.#drainsSince ??= performance.now();
  }

  /** Whether every request is answered and nothing is still coming that `isStillComing` waits for. */
  isQuiet(patienceMs: number): boolean {
    const news = { newsAt: this.#newsAt, drainsSince: this.#drainsSince ?? 0, patienceMs };
    return !isStillComing(this.#bySocket.values(), this.#handshakes.values(), news);
  }

  /** Closes every connection once what was written to it has left. */
  end(): void {
    for (const { writer } of this.#bySocket.values()) Socket.prototype.destroySoon.call(writer);
  }

  /** A request is looked up several times in a row. */
  #of(socket: Socket): Connection | undefined {
    if (this.#latest?.writer !== socket) this.#latest = this.#bySocket.get(socket);
    return this.#latest;
  }

  #came(socket: Socket): Connection {
    const connection = newConnection(socket, new Pipeline(this.#handle));
    this.#closeInTime(connection, socket);
    this.#open += 1;
    this.made += 1;
    this.#newsAt = connection.cameAt;
    this.#bySocket.set(socket, connection);
    this.#idle.add(connection);
    socket.once('close', () => this.#forget(connection));
    this.#makeRoom();
    return connection;
  }

  /** From here on requests come over TLS's own socket, on top of the one that came. */
  #secured(secure: Socket): void {
    const connection = this.#handshakes.end(secure);
    if (connection === undefined) return;
    this.#newsAt = performance.now();
    connection.writer = secure;
    this.#closeInTime(connection, secure);
    this.#bySocket.set(secure, connection);
    secure.once('close', () => this.#bySocket.delete(secure));
  }

  /**
   * HTTP calls `destroySoon` after the last answer. Node's own would close at once, and the kernel would keep for minutes what
   * the client does not read.
   */
  #closeInTime(connection: Connection, writer: Socket): void {
    writer.destroySoon = () => {
      connection.requests.end();
      writer.end();
      // HTTP ends it again when the client closes, and Node makes an error of that, with a stack, for each connection.
      writer.removeAllListeners('end');
      if (connection.isClosed) return;
      this.#idle.delete(connection);
      this.#leaving.delete(connection);
      connection.closesAt = performance.now() + this.#stalledMs;
      this.#ending.add(connection);
      this.#makeRoom();
    };
  }

  #admit(connection: Connection, response: ServerResponse): void {
    if (this.#drainsSince !== undefined) this.#newsAt = performance.now();
    response.on('close', () => this.#answered(connection, response));
    if (!connection.requests.add(response)) this.#limits.onClosed('pipelined');
  }

  #answered(connection: Connection, response: ServerResponse): void {
    const { requests } = connection;
    requests.answered(response);
    if (connection.isClosed) return;
    connection.answeredAt = performance.now();
    if (!requests.isEmpty || connection.closesAt !== undefined) return;
    this.#idle.add(connection);
    this.#makeRoom();
  }

  #makeRoom(): void {
    const { most, beyond } = this.#limits;
    while (this.#open - this.#leaving.size > most) {
      const unread = this.#unread.next();
      const [ending] = this.#ending;
      if (unread !== undefined) this.#close(unread, 'unread');
      else if (ending !== undefined) this.#reset(ending);
      if ((unread ?? ending) !== undefined) continue;
      const { oldest } = this.#idle;
      const busy = this.#open - this.#leaving.size - this.#idle.size;
      if (oldest === undefined || this.#idle.size <= Math.max(LEAST_IDLE, most - busy)) break;
      this.#idle.delete(oldest);
      oldest.closesAt = performance.now() + LAST_CHANCE_MS;
      this.#leaving.add(oldest);
    }
    for (const next of this.#leaving) {
      if (this.#leaving.size <= beyond) break;
      this.#close(next, 'crowded');
    }
  }

  #sweep(): void {
    const now = performance.now();
    const isDue = ({ closesAt = now }: Connection) => closesAt <= now;
    for (const next of this.#leaving) if (isDue(next)) this.#close(next, 'idle');
    for (const next of this.#ending) if (isDue(next)) this.#reset(next);
  }

  #close(connection: Connection, why: ClosedBecause): void {
    const isAnswerOnItsWay = performance.now() - connection.answeredAt < LAST_CHANCE_MS;
    if (why === 'unread' || (connection.requests.hasAsked && !isAnswerOnItsWay)) this.#reset(connection);
    else this.#cut(connection);
    this.#limits.onClosed(why);
  }

  /** What was not read must not stay in the kernel either. */
  #reset(connection: Connection): void {
    connection.socket.resetAndDestroy();
    this.#cut(connection);
  }

  #cut(connection: Connection): void {
    this.#forget(connection);
    connection.socket.destroy();
    connection.writer.destroy();
  }

  #forget(connection: Connection): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    if (this.#latest === connection) this.#latest = undefined;
    connection.requests.abort();
    this.#open -= 1;
    this.#idle.delete(connection);
    this.#leaving.delete(connection);
    this.#ending.delete(connection);
    this.#bySocket.delete(connection.socket);
    this.#bySocket.delete(connection.writer);
  }
}
