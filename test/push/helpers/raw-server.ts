import { once } from 'node:events';
import { createServer, type TLSSocket } from 'node:tls';
import type { TestCertificate } from './test-authority.ts';

/** A TLS server that writes whatever bytes a test wants. */
export interface RawServer {
  readonly origin: string;
  readonly connections: () => number;
  /** Connections open now. */
  readonly open: () => number;
  /** Destroys the connections that are open now. */
  destroyOpen(): void;
  close(): Promise<void>;
}

/** The nine-byte header of an HTTP/2 frame and its payload (RFC 9113, 4.1). */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array = Buffer.of(),
): Buffer {
  const header = Buffer.alloc(9);
  header.writeUIntBE(payload.length, 0, 3);
  header.writeUInt8(type, 3);
  header.writeUInt8(flags, 4);
  header.writeUInt32BE(stream, 5);
  return Buffer.concat([header, payload]);
}

/** An empty SETTINGS frame. */
export const SETTINGS = frame(4, 0, 0);
/** The acknowledgement of SETTINGS. */
export const SETTINGS_ACK = frame(4, 1, 0);

/** Starts a server that offers the given ALPN protocols (none: no ALPN) and hands each TLS socket to the test; a stubborn one never closes its side. */
export async function startRawServer(
  certificate: TestCertificate,
  protocols: readonly string[],
  onSocket: (socket: TLSSocket) => void,
  stubborn = false,
): Promise<RawServer> {
  const sockets = new Set<TLSSocket>();
  let connections = 0;
  const server = createServer({
    allowHalfOpen: stubborn,
    ...certificate,
    ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
  });
  server.on('tlsClientError', () => {});
  server.on('connection', () => {
    connections++;
  });
  server.on('secureConnection', (socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    onSocket(socket);
    socket.resume();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `https://127.0.0.1:${port}`,
    connections: () => connections,
    open: () => sockets.size,
    destroyOpen: () => {
      for (const socket of sockets) socket.destroy();
    },
    close: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
