import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer, type Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { secureContextOptions, type TlsMaterial } from '../../lib/tls-material.ts';
import { isTlsFault, tlsClientFault } from './tls-client-fault.ts';
import type { TlsEvents } from './tls-events.ts';

/** The TLS of the main listener, whose files can be changed while it serves. */
export interface TlsListener {
  /** An HTTPS server for HTTP/1.1 that follows `use` from then on; to be made before the first `use`. */
  createServer(options: ServerOptions, onRequest: RequestListener): Server;
  /** Serves new connections with other files; connections that are open keep what they have. */
  use(material: TlsMaterial): void;
  /** Whether a connection was made with files that are no longer used. */
  isOutdated(connection: Duplex): boolean;
}

/** Milliseconds within which a client must have finished its handshake; a phone on a slow network needs 1 to 3 s. */
const HANDSHAKE_TIMEOUT = 10_000;

/** Prepares TLS with the files as they are now; a PBX's certificate is asked for where there are authorities for it. */
export function createTlsListener(
  material: TlsMaterial,
  events: Pick<TlsEvents, 'clientFailed'>,
  handshakeTimeout = HANDSHAKE_TIMEOUT,
): TlsListener {
  let current = new WeakSet<Duplex>();
  const servers: SecureServer[] = [];

  function watch(server: SecureServer): void {
    const told = new WeakSet<object>();
    const failed = (error: Error): void => {
      if (told.has(error)) return;
      told.add(error);
      events.clientFailed({ why: tlsClientFault(error) });
    };
    server.on('tlsClientError', (error, socket) => {
      failed(error);
      socket.destroy();
    });
    server.on('clientError', (error) => {
      if (isTlsFault(error)) failed(error);
    });
    server.on('secureConnection', (socket) => current.add(socket));
  }

  return {
    createServer: (options, onRequest) => {
      const server = createServer(
        {
          ...options,
          ...secureContextOptions(material),
          handshakeTimeout,
          // Phones have no certificate: who shows which is decided where a PBX is let in.
          requestCert: material.pbxClientCa !== undefined,
          rejectUnauthorized: false,
        },
        onRequest,
      );
      watch(server);
      servers.push(server);
      return server;
    },
    use: (next) => {
      for (const server of servers) server.setSecureContext(secureContextOptions(next));
      current = new WeakSet();
    },
    isOutdated: (connection) => !current.has(connection),
  };
}
