import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { isIP, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { monotonic } from '../lib/monotonic.ts';
import type { ForwardProxy } from '../lib/proxy-route.ts';
import { openTunnel, type Tunnelling, type TunnelTarget } from '../lib/proxy-tunnel.ts';
import { ConnectError, type ConnectFailure, connectFailure } from './channel-connect-error.ts';

/** Where to connect, and the client certificate to show there, both PEM. */
export interface DialTarget {
  /** `https://host[:port]` */
  readonly origin: URL;
  readonly tls: { readonly cert: string; readonly key: string } | undefined;
  /** Undefined: directly. */
  readonly proxy?: ForwardProxy | undefined;
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
  /** What to report if this takes longer than `ms`: what has not happened until now. */
  late(ms: number): ConnectError;
}

function ignore(): void {}

function peerOf({ hostname, port }: URL): TunnelTarget {
  return {
    host: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: port === '' ? 443 : Number(port),
  };
}

function openSocket(target: DialTarget, tunnel: Socket | undefined): TLSSocket {
  const { host, port } = peerOf(target.origin);
  return connectTls({
    host,
    port,
    ...(tunnel !== undefined && { socket: tunnel }),
    ...(isIP(host) === 0 && { servername: host }),
    ALPNProtocols: ['h2'],
    ...target.tls,
  });
}

/**
 * Connects: name look-up, TCP, a tunnel if there is a proxy, TLS 1.2 or later with the peer verified and `h2` agreed on, and
 * the peer's SETTINGS, which may allow one stream only (APNs before the first valid token). All of it ends within `timeoutMs`.
 */
export function dial(target: DialTarget, handlers: DialHandlers): Dialling {
  const started = monotonic();
  let tunnelling: Tunnelling | undefined;
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
    tunnelling?.cancel();
  };
  const failAs = (error: Error, failure: ConnectFailure): void => {
    if (over) return;
    drop();
    handlers.failed(new ConnectError(target, error, failure));
  };
  const fail = (error: Error): void => failAs(error, connectFailure(error, target.tls !== undefined));
  const lateness = (ms: number): Error =>
    tunnelling !== undefined && socket === undefined
      ? tunnelling.late(ms)
      : new Error(`no HTTP/2 connection within ${ms} ms`);
  const failLater = (error: Error): void => {
    setImmediate(fail, error);
  };
  const onClose = (): void => fail(new Error('the server closed the connection before it was usable'));
  const timer = setTimeout(() => {
    fail(lateness(target.timeoutMs));
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
    // It stays for as long as the session does: the socket ends with the same error, and that is what is reported.
    session.on('error', ignore);
    session.once('remoteSettings', settingsCame);
  };

  const secure = (tunnel?: Socket): void => {
    try {
      const connecting = openSocket(target, tunnel);
      socket = connecting;
      connecting.on('error', fail).on('close', onClose);
      // Inside a tunnel there is no TCP connection of its own to wait for.
      if (tunnel !== undefined) handshakeStarted = monotonic();
      connecting.once('connect', () => {
        handshakeStarted = monotonic();
      });
      connecting.once('secureConnect', () => secured(connecting));
    } catch (error) {
      // A certificate or key that cannot be read is thrown at once.
      failLater(error instanceof Error ? error : new Error(String(error)));
    }
  };
  if (target.proxy === undefined) secure();
  else tunnelling = openTunnel(target.proxy, peerOf(target.origin), { opened: secure, failed: fail });
  return {
    late: (ms) => new ConnectError(target, lateness(ms), {}),
    cancel: (closed) => {
      drop();
      const last = tunnelling?.socket ?? socket;
      if (last === undefined || last.closed) closed();
      else last.once('close', closed);
    },
  };
}
