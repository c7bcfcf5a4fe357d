import { IncomingMessage, ServerResponse } from 'node:http';
import {
  createSecureServer,
  type Http2Session,
  type IncomingHttpHeaders,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Socket } from 'node:net';
import type { ThrowAwayCa } from './certificates.ts';
import type { FreshConnections } from './faults.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { type Relay, startRelay } from './relay.ts';
import { resetSocket } from './reset-socket.ts';

/** How a stand-in's server is set up. */
export interface SecureServerOptions {
  readonly ca: ThrowAwayCa;
  /** 0 picks a free port. */
  readonly port: number;
  /** MAX_CONCURRENT_STREAMS of a new connection. */
  readonly streams: number;
  readonly requestClientCertificate: boolean;
  /** No relay in between: cheaper for a benchmark, but connections cannot be muted. */
  readonly direct: boolean;
  readonly onStream: (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    rawHeaders: readonly string[],
  ) => void;
  /** Also speak HTTP/1.1, to this. */
  readonly onHttp1?: (request: IncomingMessage, response: ServerResponse) => void;
}

/** What every stand-in on HTTP/2 offers to those who drive it. */
export interface StandInServer {
  /** `https://127.0.0.1:PORT` */
  readonly origin: string;
  /** TCP connections accepted since the start. */
  accepted(): number;
  /** HTTP/2 sessions open now. */
  sessions(): number;
  /** Changes MAX_CONCURRENT_STREAMS on every connection, new ones included. */
  limitStreams(streams: number): void;
  /** Every live connection goes mute for good, and new ones as `fresh` says; throws on a direct server. */
  silence(fresh: FreshConnections): void;
  /** New connections are healthy again. */
  restore(): void;
  /** Resets every connection. */
  disconnectAll(): void;
  /** Resets every connection and stops listening. */
  close(): Promise<void>;
}

/** HTTP/2 over TLS on 127.0.0.1 whose connections can be made to misbehave. */
export interface SecureServer extends StandInServer {
  mute(session: Http2Session, fresh: FreshConnections): void;
  disconnect(session: Http2Session): void;
  /** Sends bytes that are not TLS. */
  garble(session: Http2Session): void;
}

const SESSION_MEMORY_MB = 64;

/** Where nothing of ours is to be done: 'close' follows, and that is what the stand-ins listen to. */
function seenByClose(): void {}

function listenTo(options: SecureServerOptions, key: { cert: string; key: string }) {
  const server = createSecureServer({
    ...key,
    ca: options.ca.certificate,
    requestCert: options.requestClientCertificate,
    rejectUnauthorized: false,
    allowHTTP1: options.onHttp1 !== undefined,
    maxSessionMemory: SESSION_MEMORY_MB,
    settings: { maxConcurrentStreams: options.streams },
  });
  if (options.onHttp1 !== undefined) {
    const { onHttp1 } = options;
    server.on('request', (request: unknown, response: unknown) => {
      if (request instanceof IncomingMessage && response instanceof ServerResponse)
        onHttp1(request, response);
    });
    // A 'request' listener brings Node's compatibility layer, which would take the HTTP/2 streams too.
    server.removeAllListeners('stream');
  }
  const onStream = (
    stream: ServerHttp2Stream,
    headers: IncomingHttpHeaders,
    _flags: number,
    rawHeaders: readonly string[],
  ): void => {
    stream.on('error', seenByClose);
    options.onStream(stream, headers, rawHeaders);
  };
  server.on('stream', onStream);
  server.on('sessionError', seenByClose);
  server.on('tlsClientError', seenByClose);
  return server;
}

function relayOf(relay: Relay | undefined): Relay {
  if (relay === undefined)
    throw new Error('A server started with `direct` cannot do this: start it without.');
  return relay;
}

/** Starts the server, behind a relay unless `direct`. */
export async function startSecureServer(options: SecureServerOptions): Promise<SecureServer> {
  const issued = options.ca.issueServer();
  const server = listenTo(options, { cert: issued.certificate, key: issued.privateKey });
  const sockets = new Set<Socket>();
  const sessions = new Set<Http2Session>();
  let streams = options.streams;
  let accepted = 0;

  server.on('connection', (socket: Socket) => {
    accepted += 1;
    sockets.add(socket);
    socket.on('error', seenByClose);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('session', (session) => {
    sessions.add(session);
    session.on('error', seenByClose);
    session.on('close', () => sessions.delete(session));
    if (streams !== options.streams) session.settings({ maxConcurrentStreams: streams });
  });

  const inner = await listenOnLoopback(server, options.direct ? options.port : 0);
  const relay = options.direct
    ? undefined
    : await startRelay({ target: inner, port: options.port }).catch((error: unknown) => {
        // What already listens would keep the process alive.
        server.close();
        throw error;
      });
  const port = (session: Http2Session): number => session.socket?.remotePort ?? -1;

  return {
    origin: `https://127.0.0.1:${relay?.port ?? inner}`,
    accepted: () => relay?.accepted() ?? accepted,
    sessions: () => sessions.size,
    limitStreams: (next) => {
      streams = next;
      for (const session of sessions) {
        if (!session.destroyed) session.settings({ maxConcurrentStreams: next });
      }
    },
    silence: (fresh) => relayOf(relay).silence(fresh),
    restore: () => relayOf(relay).restore(),
    mute: (session, fresh) =>
      fresh === 'healthy' ? relayOf(relay).mute(port(session)) : relayOf(relay).silence(fresh),
    disconnect: (session) => (relay === undefined ? session.destroy() : relay.reset(port(session))),
    disconnectAll: () => {
      if (relay !== undefined) relay.resetAll();
      else for (const socket of sockets) resetSocket(socket);
    },
    garble: (session) => relayOf(relay).inject(port(session), Buffer.from('this is not TLS\r\n'.repeat(4))),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      for (const session of sessions) session.destroy();
      for (const socket of sockets) socket.destroy();
      await relay?.close();
      await closed;
    },
  };
}
