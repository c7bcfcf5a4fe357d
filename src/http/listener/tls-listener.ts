import type { RequestListener, Server, ServerOptions } from 'node:http';
import { createServer, type Server as SecureServer } from 'node:https';
import type { Duplex } from 'node:stream';
import { errorCode } from '../../lib/error-code.ts';
import { secureContextOptions, type TlsMaterial } from '../../lib/tls-material.ts';
import type { TlsClientFault, TlsEvents } from './tls-events.ts';

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

/** OpenSSL's words, as Node hands them on (`ERR_SSL_` and the reason of openssl/sslerr.h), and what they come down to. */
const FAULTS: Readonly<Record<string, TlsClientFault>> = {
  ERR_TLS_HANDSHAKE_TIMEOUT: 'handshake-timeout',
  ECONNRESET: 'connection-lost',
  EPIPE: 'connection-lost',
  ERR_SSL_UNEXPECTED_EOF_WHILE_READING: 'connection-lost',
  ERR_SSL_UNSUPPORTED_PROTOCOL: 'old-protocol',
  ERR_SSL_VERSION_TOO_LOW: 'old-protocol',
  ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION: 'old-protocol',
  ERR_SSL_NO_SHARED_CIPHER: 'no-shared-cipher',
  ERR_SSL_HTTP_REQUEST: 'plain-http',
  ERR_SSL_WRONG_VERSION_NUMBER: 'not-tls',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'certificate-refused',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'certificate-refused',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'certificate-refused',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'certificate-refused',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'certificate-refused',
  ERR_SSL_TLS_ALERT_UNKNOWN_CA: 'certificate-refused',
};

/** The fault behind an error of a client's connection before it is secure; a closed set, whatever the client did. */
export function tlsClientFault(error: unknown): TlsClientFault {
  return FAULTS[errorCode(error) ?? ''] ?? 'other';
}

/** Whether an error of a connection that was secure already came from TLS (TLS 1.3 refuses a certificate that late). */
function isTlsFault(error: unknown): boolean {
  return errorCode(error)?.startsWith('ERR_SSL_') === true;
}
