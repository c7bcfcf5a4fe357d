import type { Socket } from 'node:net';
import type { Connection } from './connection.ts';

/** TLS connections in their handshake. Node does not say over which connection a TLS socket came. */
export class TlsHandshakes {
  readonly #byName = new Map<string, Connection>();

  /** A connection has come. */
  begin(connection: Connection): void {
    const name = nameOf(connection.socket);
    this.#byName.set(name, connection);
    connection.socket.once('close', () => {
      if (this.#byName.get(name) === connection) this.#byName.delete(name);
    });
  }

  /** The connection of a TLS socket whose handshake is done. */
  end(secure: Socket): Connection | undefined {
    const name = nameOf(secure);
    const connection = this.#byName.get(name);
    this.#byName.delete(name);
    return connection;
  }

  values(): Iterable<Connection> {
    return this.#byName.values();
  }
}

/** The same for a socket and for the TLS socket on top of it, and for no two connections of a listener at once. */
function nameOf(socket: Socket): string {
  const { remoteAddress, remotePort, localAddress, localPort } = socket;
  return `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`;
}
