import type { TlsClientFault } from './tls-events.ts';

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
  return FAULTS[codeOf(error)] ?? 'other';
}

/** Whether an error of a connection that was secure already came from TLS (TLS 1.3 refuses a certificate that late). */
export function isTlsFault(error: unknown): boolean {
  return codeOf(error).startsWith('ERR_SSL_');
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}
