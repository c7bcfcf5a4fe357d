import { once } from 'node:events';
import {
  createSecureServer,
  type Http2SecureServer,
  type IncomingHttpHeaders,
  type SecureServerOptions,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import { text } from 'node:stream/consumers';
import type { TestCertificate } from './test-authority.ts';

/** One request as the server saw it. */
export interface SeenRequest {
  readonly path: string;
  readonly body: string;
  readonly headers: IncomingHttpHeaders;
  /** Number of the connection, from 1. */
  readonly connection: number;
}

/** What a test does with a request; `respond` answers 200 with the body echoed. */
export interface Arrival extends SeenRequest {
  readonly stream: ServerHttp2Stream;
  readonly session: ServerHttp2Session;
  respond(): void;
}

/** A real HTTP/2 server over TLS on loopback, scripted by the test. */
export interface PushServer {
  readonly port: number;
  readonly origin: string;
  readonly seen: SeenRequest[];
  readonly sessions: ServerHttp2Session[];
  /** Connections ever accepted (TLS done). */
  readonly connections: () => number;
  /** Connections open now, without those that were told to go away: node:http2 reads nothing from them any more. */
  readonly open: () => number;
  /** PINGs that came, over all connections. */
  readonly pings: () => number;
  /** Names in the client certificates that were shown. */
  readonly clientNames: string[];
  /** Most requests unanswered at once. */
  readonly mostAtOnce: () => number;
  /** Sends GOAWAY with a code, the last stream that will be processed, and debug data. */
  goaway(session: ServerHttp2Session | undefined, code: number, last?: number, data?: Buffer): void;
  /** Replaces what is done with each request. */
  handle(handler: (arrival: Arrival) => void): void;
  close(): Promise<void>;
}

function swallow(): void {}

/** Starts a server; `port` 0 takes a free one. */
export async function startPushServer(
  certificate: TestCertificate,
  options: SecureServerOptions & { readonly port?: number } = {},
): Promise<PushServer> {
  const server: Http2SecureServer = createSecureServer({ ...certificate, ...options });
  const seen: SeenRequest[] = [];
  const sessions: ServerHttp2Session[] = [];
  const numbers = new Map<ServerHttp2Session, number>();
  const clientNames: string[] = [];
  const leaving = new Set<ServerHttp2Session>();
  let pings = 0;
  let atOnce = 0;
  let most = 0;
  let handler = (arrival: Arrival): void => arrival.respond();

  const onStream = async (
    session: ServerHttp2Session,
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
  ): Promise<void> => {
    stream.on('error', swallow);
    atOnce++;
    most = Math.max(most, atOnce);
    stream.once('close', () => {
      atOnce--;
    });
    const body = await text(stream).catch(() => undefined);
    if (body === undefined) return;
    const request = {
      path: String(headers[':path']),
      body,
      headers,
      connection: numbers.get(session) ?? 0,
    };
    seen.push(request);
    handler({
      ...request,
      stream,
      session,
      respond: () => {
        if (stream.closed || stream.destroyed) return;
        stream.respond({ ':status': 200, 'apns-id': body });
        stream.end(body);
      },
    });
  };

  server.on('session', (session) => {
    sessions.push(session);
    numbers.set(session, sessions.length);
    session.on('error', swallow);
    session.on('ping', () => {
      pings++;
    });
    session.on('stream', (stream, headers) => {
      onStream(session, stream, headers);
    });
  });
  server.on('sessionError', swallow);
  server.on('tlsClientError', swallow);
  server.on('secureConnection', (socket) => {
    socket.on('error', swallow);
    const { subject } = socket.getPeerCertificate();
    if (subject !== undefined) clientNames.push(String(subject.CN));
  });
  server.listen(options.port ?? 0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    port,
    origin: `https://127.0.0.1:${port}`,
    seen,
    sessions,
    connections: () => sessions.length,
    open: () => sessions.filter((session) => !session.destroyed && !leaving.has(session)).length,
    pings: () => pings,
    clientNames,
    mostAtOnce: () => most,
    goaway: (session, code, last, data) => {
      if (session === undefined) return;
      leaving.add(session);
      session.goaway(code, last, data);
    },
    handle: (next) => {
      handler = next;
    },
    close: async () => {
      for (const session of sessions) session.destroy();
      server.close();
      await once(server, 'close');
    },
  };
}
