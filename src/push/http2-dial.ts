import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { isIP } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { monotonic } from '../lib/monotonic.ts';
import { ConnectError, type ConnectFailure, connectFailure } from './channel-connect-error.ts';

/** Where to connect, and the client certificate to show there, both PEM. */
export interface DialTarget {
  /** `https://host[:port]` */
  readonly origin: URL;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  readonly timeoutMs: number;
}

/** An open connection: the peer's SETTINGS are known. */
export interface Dialled {
  readonly session: ClientHttp2Session;
  readonly socket: TLSSocket;
  readonly tookMs: number;
  /** What the TLS handshake took, milliseconds: a round trip from end to end, or two. */
  readonly handshakeMs: number;
}

/** Exactly one of the two is called, once, unless the dialling is given up by `cancel`; never before `dial` returns. */
export interface DialHandlers {
  opened(dialled: Dialled): void;
  failed(error: ConnectError): void;
}

/** A connection being made. */
export interface Dialling {
  /** Gives up; no handler is called. `closed` is called when the socket is gone. */
  cancel(closed: () => void): void;
}

const ignore = (): void => {};

const openSocket = (target: DialTarget): TLSSocket => {
  const { hostname, port } = target.origin;
  const host = hostname.startsWith('[') ? hostname.slice(1, -1) : hostname;
  return connectTls({
    host,
    port: port === '' ? 443 : Number(port),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['h2'],
    ...target.tls,
  });
};

/**
 * Connects: name look-up, TCP, TLS 1.2 or later with the peer verified and `h2` agreed on, and the peer's SETTINGS, which
 * may allow one stream only (APNs before the first valid token). All of it ends within `timeoutMs`.
 */
export const dial = (target: DialTarget, handlers: DialHandlers): Dialling => {
  const started = monotonic();
  const origin = target.origin.origin;
  let socket: TLSSocket | undefined;
  let session: ClientHttp2Session | undefined;
  let handshakeStarted = started;
  let handshakeMs = 0;
  let over = false;

  const drop = (): void => {
    over = true;
    clearTimeout(timer);
    session?.destroy();
    socket?.destroy();
  };
  const failAs = (error: Error, failure: ConnectFailure): void => {
    if (over) return;
    drop();
    handlers.failed(new ConnectError(origin, error, failure));
  };
  const fail = (error: Error): void => failAs(error, connectFailure(error, target.tls !== undefined));
  const failLater = (error: Error): void => {
    setImmediate(fail, error);
  };
  const onClose = (): void => fail(new Error('the server closed the connection before it was usable'));
  const timer = setTimeout(() => {
    fail(new Error(`no HTTP/2 connection within ${target.timeoutMs} ms`));
  }, target.timeoutMs);

  const settingsCame = (): void => {
    if (over || session === undefined || socket === undefined) return;
    over = true;
    clearTimeout(timer);
    session.off('error', fail).off('close', onClose);
    socket.off('close', onClose);
    handlers.opened({ session, socket, tookMs: monotonic() - started, handshakeMs });
  };
  const secured = (connected: TLSSocket): void => {
    if (over) return;
    handshakeMs = monotonic() - handshakeStarted;
    if (connected.alpnProtocol !== 'h2') {
      failAs(new Error('the server does not speak HTTP/2 (no ALPN protocol h2)'), { certain: 'not-http2' });
      return;
    }
    session = connectHttp2(target.origin, {
      createConnection: () => connected,
      settings: { enablePush: false },
    });
    session.on('error', fail).on('close', onClose);
    // A second error while the session is being torn down must find a listener too.
    session.on('error', ignore);
    session.once('remoteSettings', settingsCame);
  };

  try {
    const connecting = openSocket(target);
    socket = connecting;
    connecting.on('error', fail).on('close', onClose);
    connecting.once('connect', () => {
      handshakeStarted = monotonic();
    });
    connecting.once('secureConnect', () => secured(connecting));
  } catch (error) {
    // A certificate or key that cannot be read is thrown at once.
    failLater(error instanceof Error ? error : new Error(String(error)));
  }
  return {
    cancel: (closed) => {
      drop();
      if (socket === undefined || socket.closed) closed();
      else socket.once('close', closed);
    },
  };
};
