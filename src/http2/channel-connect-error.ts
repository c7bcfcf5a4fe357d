import { errorCode } from '../lib/error-code.ts';
import type { ForwardProxy } from '../lib/proxy-route.ts';
import { ProxyFailed } from '../lib/proxy-tunnel.ts';
import { errorDetail } from './channel-detail.ts';
import type { ChannelFailure } from './channel-types.ts';

/** Why a connection could not be made, where the reason is certain; another try within the second may still succeed. */
export type CertainFailure = Extract<
  ChannelFailure,
  'connection-refused' | 'host-not-found' | 'no-route' | 'tls-failed' | 'not-http2' | 'proxy-refused'
>;

/** How a peer refuses the client certificate. */
export type CertificateRefusal = Extract<ChannelFailure, `certificate-${string}`>;

const CERTAIN: Readonly<Record<string, CertainFailure>> = {
  ECONNREFUSED: 'connection-refused',
  ENOTFOUND: 'host-not-found',
  EHOSTUNREACH: 'no-route',
  EHOSTDOWN: 'no-route',
  ENETUNREACH: 'no-route',
  ENETDOWN: 'no-route',
  EADDRNOTAVAIL: 'no-route',
  EACCES: 'no-route',
  EPERM: 'no-route',
  EPROTO: 'tls-failed',
};

/** TLS alerts about a certificate (RFC 8446, 6.2), by the codes that OpenSSL gives them. */
const ALERTS: Readonly<Record<string, CertificateRefusal>> = {
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED: 'certificate-expired',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_REVOKED: 'certificate-revoked',
  ERR_SSL_TLSV1_ALERT_UNKNOWN_CA: 'certificate-unknown-ca',
  ERR_SSL_SSLV3_ALERT_BAD_CERTIFICATE: 'certificate-refused',
  ERR_SSL_SSLV3_ALERT_UNSUPPORTED_CERTIFICATE: 'certificate-refused',
  ERR_SSL_SSLV3_ALERT_CERTIFICATE_UNKNOWN: 'certificate-refused',
  ERR_SSL_TLSV1_ALERT_ACCESS_DENIED: 'certificate-refused',
  ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED: 'certificate-refused',
};

const UNTRUSTED = /CERT|SELF_SIGNED|UNABLE_TO_|ALTNAME/;

function isTls(code: string): boolean {
  return code.startsWith('ERR_SSL_') || code.startsWith('ERR_OSSL_');
}

/** The peer's refusal of our certificate, where `error` is one. */
export function certificateRefusal(error: Error): CertificateRefusal | undefined {
  return ALERTS[errorCode(error) ?? ''];
}

/** What one failed try to connect says of the next ones. */
export interface ConnectFailure {
  /** Set when the cause is certain; a time-out, a reset or a close may pass. */
  readonly certain?: CertainFailure;
  /** The peer refuses the certificate that this channel shows. */
  readonly certificate?: CertificateRefusal;
}

/** Where a connection was to lead, and through what. */
interface ConnectTarget {
  readonly origin: URL;
  readonly proxy?: ForwardProxy | undefined;
}

function explain({ proxy }: ConnectTarget, cause: Error): string {
  // It names the proxy, its setting and what to do.
  if (cause instanceof ProxyFailed) return `: ${errorDetail(cause)}`;
  const way = proxy === undefined ? '' : ` through the proxy ${proxy.origin} (${proxy.setting})`;
  const code = errorCode(cause) ?? '';
  const untrusted = UNTRUSTED.test(code) && !isTls(code);
  const advice = untrusted
    ? "; the server's certificate is not trusted: add its CA by NODE_EXTRA_CA_CERTS"
    : '';
  return `${way}: ${errorDetail(cause)}${advice}`;
}

/** A connection could not be made. */
export class ConnectError extends Error {
  readonly failure: ConnectFailure;

  constructor(target: ConnectTarget, cause: Error, failure: ConnectFailure) {
    super(`cannot connect to ${target.origin.origin}${explain(target, cause)}`, { cause });
    this.name = 'ConnectError';
    this.failure = failure;
  }
}

/** Reads an error of the name look-up, TCP or TLS. `showsCertificate`: we show one, so that an alert can be about it. */
export function connectFailure(error: Error, showsCertificate: boolean): ConnectFailure {
  const code = errorCode(error) ?? '';
  if (error instanceof ProxyFailed && error.status !== undefined) return { certain: 'proxy-refused' };
  // An alert of a proxy is not about the certificate that the push service would be shown.
  const certificate =
    showsCertificate && !(error instanceof ProxyFailed) ? certificateRefusal(error) : undefined;
  if (certificate !== undefined) return { certificate };
  const certain = CERTAIN[code] ?? (isTls(code) || UNTRUSTED.test(code) ? 'tls-failed' : undefined);
  return certain === undefined ? {} : { certain };
}
