import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, constants, type IncomingHttpHeaders } from 'node:http2';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';

/** A stand-in reached by HTTP/1.1. */
export interface Http1Adapter {
  /** Of 127.0.0.1; plain HTTP. */
  readonly port: number;
  close(): Promise<void>;
}

/** Longer than any proxy keeps a connection that it does not use: none may be closed under a new request. */
const KEEP_ALIVE_MS = 120_000;
/** RFC 9113 section 8.2.2: not for HTTP/2. */
const HOP_BY_HOP = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'host'] as const;

function withoutHopByHop(headers: IncomingHttpHeaders): IncomingHttpHeaders {
  const kept = { ...headers };
  for (const name of HOP_BY_HOP) delete kept[name];
  return kept;
}

/** Puts HTTP/1.1 before a stand-in, which speaks HTTP/2 only, for proxies that speak nothing newer to servers. */
export async function startHttp1Adapter(origin: string, ca: string): Promise<Http1Adapter> {
  const session = connect(origin, { ca });
  await once(session, 'remoteSettings');
  const server = createServer((request, response) => {
    const stream = session.request({
      ...withoutHopByHop(request.headers),
      ':method': request.method ?? 'GET',
      ':path': request.url ?? '/',
    });
    stream.on('response', ({ ':status': status = 502, ...headers }) => {
      response.writeHead(status, withoutHopByHop(headers));
      stream.pipe(response);
    });
    stream.on('error', () => response.destroy());
    response.on('close', () => stream.close(constants.NGHTTP2_CANCEL));
    request.pipe(stream);
  });
  server.keepAliveTimeout = KEEP_ALIVE_MS;
  const port = await listenOnLoopback(server, 0);
  return {
    port,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      session.destroy();
      await closed;
    },
  };
}
