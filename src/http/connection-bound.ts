import type { Server, Socket } from 'node:net';
import { Server as TlsServer } from 'node:tls';
import { type Idle, IdleConnections } from './idle-connections.ts';

/** Connections without a request that are kept however many calls wait: phones have to reach the service. */
const LEAST_IDLE = 50;

/** A connection, and how many of its requests are being answered (a client may send several at once). */
export interface Connection extends Idle<Connection> {
  readonly socket: Socket;
  requests: number;
  isClosed: boolean;
}

/**
 * Bounds the connections of a listener. Whoever may open connections could else take all open files of the process, and no
 * PBX would reach it any more. When one too many comes, the one that has been without a request for longest is closed;
 * one that sends its request is without it until all of it is there. Those whose request is being answered, such as a
 * PBX whose call waits, are never closed.
 */
export class ConnectionBound {
  readonly #most: number;
  readonly #onClosed: () => void;
  /** By the sockets that requests come over: there are two of them for each request. */
  readonly #bySocket = new Map<Socket, Connection>();
  /** TLS connections in their handshake, by name. */
  readonly #handshaking = new Map<string, Connection>();
  readonly #idle = new IdleConnections<Connection>();
  #open = 0;

  constructor(options: {
    /** Connections at once. Where more have a request, 50 without one are allowed beside them. */
    readonly most: number;
    /** Told of each connection that had to be closed. */
    readonly onClosed: () => void;
  }) {
    this.#most = options.most;
    this.#onClosed = options.onClosed;
  }

  /** Follows the connections of a server; of a TLS server those in their handshake, too. */
  watch(server: Server): void {
    const isSecure = server instanceof TlsServer;
    server.on('connection', (socket) => {
      const connection = this.#came(socket);
      if (isSecure) this.#shakesHands(connection, nameOf(socket));
    });
    if (isSecure) server.on('secureConnection', (secure) => this.#secured(secure));
  }

  /** A request has come whole, over a socket or the TLS socket on top of it; undefined where that is closed already. */
  requestBegins(socket: Socket): Connection | undefined {
    const connection = this.#bySocket.get(socket);
    if (connection === undefined) return undefined;
    connection.requests += 1;
    this.#idle.delete(connection);
    return connection;
  }

  /** Its answer is out, or can no longer be; to be called once for each connection that `requestBegins` returned. */
  requestEnds(connection: Connection): void {
    connection.requests -= 1;
    if (connection.requests === 0 && !connection.isClosed) this.#idle.add(connection);
  }

  #came(socket: Socket): Connection {
    const connection: Connection = {
      socket,
      requests: 0,
      isClosed: false,
      isIdle: false,
      before: undefined,
      behind: undefined,
    };
    this.#open += 1;
    this.#bySocket.set(socket, connection);
    this.#idle.add(connection);
    socket.once('close', () => {
      this.#open -= 1;
      connection.isClosed = true;
      this.#idle.delete(connection);
      this.#bySocket.delete(socket);
    });
    const idleAllowed = Math.max(LEAST_IDLE, this.#most - (this.#open - this.#idle.size));
    if (this.#idle.size > idleAllowed) this.#closeOldest();
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
    this.#bySocket.set(secure, connection);
    secure.once('close', () => this.#bySocket.delete(secure));
  }

  #closeOldest(): void {
    const { oldest } = this.#idle;
    if (oldest === undefined) return;
    // Its `close` comes later: until then it must not be found a second time.
    this.#idle.delete(oldest);
    oldest.socket.destroy();
    this.#onClosed();
  }
}

/** The same for a socket and for the TLS socket on top of it, and for no two connections of a listener at once. */
function nameOf(socket: Socket): string {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
