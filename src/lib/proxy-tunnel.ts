import { type IncomingMessage, request } from 'node:http';
import { connect, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { errorCode } from './error-code.ts';
import type { ForwardProxy } from './proxy-route.ts';

/** Exactly one of the two is called, once, unless the tunnel is cancelled; never before `openTunnel` returns. */
export interface TunnelHandlers {
  /** Bytes written to the socket reach the target. An early byte of the target is still in it. */
  opened(socket: Socket): void;
  /** The socket is destroyed. The message names the proxy and its setting, and no credential. */
  failed(error: Error): void;
}

/** A tunnel being asked for. */
export interface Tunnelling {
  /** The connection to the proxy. */
  readonly socket: Socket;
  /** Destroys the socket; no handler is called any more. */
  cancel(): void;
  /** What to report if this takes longer than `timeoutMs`: what the proxy has not done until now. */
  late(timeoutMs: number): Error;
}

/** Where a tunnel leads. */
export interface TunnelTarget {
  /** IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
}

/** Bytes of a proxy's answer to CONNECT; proxies send some hundreds. */
const MAX_HEAD = 16_384;

/**
 * Connects to a forward proxy and asks it by CONNECT for a tunnel (RFC 9110, 9.3.6). The caller bounds the
 * time, by `cancel`.
 */
export function openTunnel(proxy: ForwardProxy, target: TunnelTarget, handlers: TunnelHandlers): Tunnelling {
  const authority = `${target.host.includes(':') ? `[${target.host}]` : target.host}:${target.port}`;
  const socket = connectTo(proxy);
  // A reset that comes later is told by what runs through the tunnel, and must find a listener here as well.
  socket.on('error', () => {});
  const asked = request({
    method: 'CONNECT',
    path: authority,
    headers: {
      host: authority,
      // Without it node:http announces that it closes the connection.
      connection: 'keep-alive',
      ...(proxy.authorization !== undefined && { 'proxy-authorization': proxy.authorization }),
    },
    maxHeaderSize: MAX_HEAD,
    createConnection: () => socket,
  });
  let over = false;
  const fail = (words: string, why: { readonly cause?: Error; readonly status?: number }): void => {
    if (over) return;
    over = true;
    socket.destroy();
    handlers.failed(new ProxyFailed(proxy, words, why));
  };
  asked.on('error', (error) => fail(whyUnreachable(error), { cause: error }));
  asked.once('connect', (answer, _socket, early) => {
    const status = answer.statusCode ?? 0;
    if (status < 200 || status > 299) {
      fail(whyRefused(proxy, authority, answer), { status });
      return;
    }
    over = true;
    if (early.length > 0) socket.unshift(early);
    handlers.opened(socket);
  });
  asked.end();
  let secured = !proxy.tls;
  socket.once('secureConnect', () => {
    secured = true;
  });
  const missing = (): string => {
    if (socket.connecting) return 'accepted no connection';
    return secured ? 'gave no answer to CONNECT' : 'answered no TLS (write http:// if it expects none)';
  };
  return {
    socket,
    cancel: () => {
      over = true;
      socket.destroy();
    },
    late: (timeoutMs) => new ProxyFailed(proxy, `${missing()} within ${timeoutMs} ms`, {}),
  };
}

/** Why there is no tunnel. */
export class ProxyFailed extends Error {
  override readonly name = 'ProxyFailed';
  /** The system's or OpenSSL's; undefined where the proxy answered. */
  readonly code: string | undefined;
  /** Of the answer that is no tunnel; undefined: no answer came. */
  readonly status: number | undefined;

  constructor(
    { origin, setting }: ForwardProxy,
    words: string,
    { cause, status }: { readonly cause?: Error; readonly status?: number },
  ) {
    super(`the proxy ${origin} (${setting}) ${words}`, cause && { cause });
    this.code = errorCode(cause);
    this.status = status;
  }
}

function connectTo({ tls, host, port }: ForwardProxy): Socket {
  if (!tls) return connect({ host, port, noDelay: true });
  return connectTls({
    host,
    port,
    ALPNProtocols: ['http/1.1'],
    ...(isIP(host) === 0 && { servername: host }),
  });
}

const CERTIFICATE_ERROR = /^(?!ERR_SSL_).*(CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME)/;

function whyUnreachable(error: Error): string {
  // An attempt at several addresses only gathers their errors.
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  const message = first instanceof Error ? first.message : error.message;
  const code = errorCode(error) ?? '';
  if (message === 'socket hang up') return 'closed the connection without an answer to CONNECT';
  if (code.startsWith('HPE_')) {
    return `gave an answer to CONNECT that is not HTTP (${code}); write https:// if it expects TLS`;
  }
  if (code.startsWith('ERR_SSL_')) return `does not speak TLS (${code}); write http:// if it expects none`;
  if (CERTIFICATE_ERROR.test(code)) {
    return `has a certificate that is not trusted (add its CA by NODE_EXTRA_CA_CERTS): ${message}`;
  }
  return `cannot be reached: ${message}`;
}

function whyRefused(proxy: ForwardProxy, authority: string, answer: IncomingMessage): string {
  const status = `${answer.statusCode} ${printable(answer.statusMessage ?? '')}`.trimEnd();
  // Tinyproxy answers 401 to wrong credentials, and 407 to none.
  const isLogin =
    answer.statusCode === 407 || (answer.statusCode === 401 && proxy.authorization !== undefined);
  if (!isLogin) {
    const advice = answer.statusCode === 403 ? '; allow CONNECT to it there' : '';
    return `refuses a tunnel to ${authority}: ${status}${advice}`;
  }
  const offered = answer.headers['proxy-authenticate'];
  if (offered !== undefined && !/\bbasic\b/i.test(String(offered))) {
    return `asks for a login that is not Basic (${answer.statusCode}: ${printable(String(offered))})`;
  }
  return proxy.authorization === undefined
    ? `asks for a user and password (${status}); add them to ${proxy.setting}`
    : `refuses the user or password in ${proxy.setting} (${status})`;
}

/** A proxy's words made fit for a log line. */
function printable(words: string): string {
  return words.slice(0, 80).replaceAll(/[^\x20-\x7e]/g, '?');
}
