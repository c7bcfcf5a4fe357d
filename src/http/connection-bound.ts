import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import {
  type ClosedBecause,
  type Connection,
  type ConnectionLimits,
  isStalled,
  isWithoutRequest,
  nameOf,
  newConnection,
  TOO_MANY,
} from './connection.ts';
import { IdleConnections } from './idle-connections.ts';
import { isStillComing } from './still-coming.ts';
import { unsentBytes } from './unsent-bytes.ts';

/** Connections without a request that are kept however many calls wait: apps have to reach the service. */
const LEAST_IDLE = 50;
/** Milliseconds that a connection beyond the bound has for its request, and that a response may make no progress. */
const LAST_CHANCE_MS = 2_000;
const STALLED_MS = 15_000;
/** Requests of one connection that may wait for their answers. */
const MOST_UNANSWERED = 16;
/** Further ones that are let pass, while the answers leave, before the connection is cut. */
const MOST_IGNORED = 200;
const SWEEP_MS = 1_000;

/**
 * Bounds the connections of a listener. Otherwise a client could take all open files of the process by opening connections,
 * and no PBX could connect.
 *
 * | a connection | when too many are open |
 * | --- | --- |
 * | does not read its response | is closed first |
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
  /** TLS connections in their handshake, by name. */
  readonly #handshaking = new Map<string, Connection>();
  readonly #idle = new IdleConnections<Connection>();
  /** Those with a last chance, the one that closes next first. */
  readonly #leaving = new Set<Connection>();
  /** Those found lately that do not read their response. */
  readonly #unread: Connection[] = [];
  #lookAgainAt = 0;
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
      if (isSecure) this.#shakesHands(connection, nameOf(socket));
    });
    if (isSecure) server.on('secureConnection', (secure) => this.#secured(secure));
    const sweep = setInterval(() => this.#sweep(), Math.min(SWEEP_MS, this.#stalledMs / 3)).unref();
    server.once('close', () => clearInterval(sweep));
  }

  /** A server's listener that counts the requests before it hands them on. */
  follow(handle: RequestListener): RequestListener {
    return (request, response) => {
      const connection = this.#bySocket.get(request.socket);
      const isOpen =
        connection === undefined ? !request.socket.destroyed : this.#admits(connection, request, response);
      if (isOpen) handle(request, response);
    };
  }

  /** The whole of a request has come. */
  requestIsWhole(socket: Socket): void {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return;
    connection.closesAt = undefined;
    this.#leaving.delete(connection);
    this.#idle.delete(connection);
    this.#makeRoom();
  }

  /** From now on each answer closes its connection. */
  drain(): void {
    this.#drainsSince ??= performance.now();
  }

  /** Whether every request is answered and nothing is still coming that `isStillComing` waits for. */
  isQuiet(patienceMs: number): boolean {
    const news = { newsAt: this.#newsAt, drainsSince: this.#drainsSince ?? 0, patienceMs };
    return !isStillComing(this.#bySocket.values(), this.#handshaking.values(), news);
  }

  /** Closes every connection once what was written to it has left. */
  end(): void {
    for (const { writer } of this.#bySocket.values()) writer.destroySoon();
  }

  #came(socket: Socket): Connection {
    const connection = newConnection(socket);
    this.#open += 1;
    this.made += 1;
    this.#newsAt = connection.cameAt;
    this.#bySocket.set(socket, connection);
    this.#idle.add(connection);
    socket.once('close', () => this.#forget(connection));
    this.#makeRoom();
    return connection;
  }

  #shakesHands(connection: Connection, name: string): void {
    this.#handshaking.set(name, connection);
    connection.socket.once('close', () => {
      if (this.#handshaking.get(name) === connection) this.#handshaking.delete(name);
    });
  }

  /** From here on requests come over TLS's own socket, on top of the one that came. */
  #secured(secure: Socket): void {
    const name = nameOf(secure);
    const connection = this.#handshaking.get(name);
    if (connection === undefined) return;
    this.#handshaking.delete(name);
    this.#newsAt = performance.now();
    connection.writer = secure;
    this.#bySocket.set(secure, connection);
    secure.once('close', () => this.#bySocket.delete(secure));
  }

  /** False: the request gets no answer, or has got it. */
  #admits(connection: Connection, request: IncomingMessage, response: ServerResponse): boolean {
    if (connection.isRefused) {
      connection.ignored += 1;
      // Node keeps 2 KB for each.
      if (connection.ignored === MOST_IGNORED) this.#cut(connection);
      return false;
    }
    connection.hasAsked = true;
    connection.unanswered += 1;
    connection.latest = request;
    if (this.#drainsSince !== undefined) this.#newsAt = performance.now();
    if (this.#drainsSince !== undefined || this.#limits.isStopping?.()) response.shouldKeepAlive = false;
    response.on('close', () => this.#answered(connection));
    if (connection.unanswered <= MOST_UNANSWERED) return true;
    connection.isRefused = true;
    this.#limits.onClosed('pipelined');
    response.writeHead(503, TOO_MANY).end('status=NAK');
    return false;
  }

  #answered(connection: Connection): void {
    connection.unanswered -= 1;
    if (connection.isClosed) return;
    if (connection.unanswered === 0) connection.latest = undefined;
    if (!isWithoutRequest(connection) || connection.closesAt !== undefined) return;
    this.#idle.add(connection);
    this.#makeRoom();
  }

  #makeRoom(): void {
    const { most, beyond } = this.#limits;
    while (this.#open - this.#leaving.size > most) {
      const unread = this.#nextUnread();
      if (unread !== undefined) {
        this.#close(unread, 'unread');
        continue;
      }
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

  /** Looks through all connections, which is done once a millisecond for each thousand of them at most. */
  #nextUnread(): Connection | undefined {
    const now = performance.now();
    if (this.#unread.length === 0 && now >= this.#lookAgainAt) {
      this.#lookAgainAt = now + Math.max(1, this.#open / 1_000);
      for (const [socket, connection] of this.#bySocket) {
        if (socket.writableLength > 0 && unsentBytes(connection.socket) > 0) this.#unread.push(connection);
      }
    }
    for (let next = this.#unread.pop(); next !== undefined; next = this.#unread.pop()) {
      if (!next.isClosed && unsentBytes(next.socket) > 0) return next;
    }
    return undefined;
  }

  #sweep(): void {
    const now = performance.now();
    for (const next of this.#leaving) {
      if (next.closesAt === undefined || next.closesAt > now) break;
      this.#close(next, 'idle');
    }
    for (const [socket, connection] of this.#bySocket) {
      if (socket.writableLength > 0 && isStalled(connection, now, this.#stalledMs))
        this.#close(connection, 'unread');
    }
  }

  #close(connection: Connection, why: ClosedBecause): void {
    // What was not read must not stay in the kernel either.
    if (why === 'unread') connection.socket.resetAndDestroy();
    this.#cut(connection);
    this.#limits.onClosed(why);
  }

  #cut(connection: Connection): void {
    this.#forget(connection);
    connection.socket.destroy();
    // What else it has sent is already with the parser, which looks at this one.
    connection.writer.destroy();
  }

  #forget(connection: Connection): void {
    if (connection.isClosed) return;
    connection.isClosed = true;
    this.#open -= 1;
    this.#idle.delete(connection);
    this.#leaving.delete(connection);
    this.#bySocket.delete(connection.socket);
    this.#bySocket.delete(connection.writer);
  }
}
