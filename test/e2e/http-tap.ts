import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A piece of HTTP/1.1 between Kamailio and the service, as it passed by. */
export interface HttpPiece {
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly from: 'kamailio' | 'service';
  readonly text: string;
}

/** A wire between Kamailio and the service on which both can be heard. */
export interface HttpTap {
  readonly url: string;
  pieces(): readonly HttpPiece[];
  close(): Promise<void>;
}

/**
 * Opens it on a free port of 127.0.0.1. Whoever closes a connection closes it for both. Strangers are not noted: a port
 * was somebody else's before, whose clients may try it again.
 */
export async function startHttpTap(service: string): Promise<HttpTap> {
  const { port: target } = new URL(service);
  const pieces: HttpPiece[] = [];
  const sockets = new Set<Socket>();
  const server = createServer((kamailio) => {
    const upstream = connect(Number(target), '127.0.0.1');
    let isKamailio = false;
    const join = (one: Socket, other: Socket, from: HttpPiece['from']) => {
      sockets.add(one);
      one.on('error', () => {});
      one.on('data', (bytes) => {
        const text = bytes.toString('utf8');
        isKamailio ||= from === 'kamailio' && text.startsWith('POST /api/');
        if (isKamailio) pieces.push({ at: Date.now(), from, text });
        other.write(bytes);
      });
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    };
    join(kamailio, upstream, 'kamailio');
    join(upstream, kamailio, 'service');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    url: `http://127.0.0.1:${port}`,
    pieces: () => pieces,
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
