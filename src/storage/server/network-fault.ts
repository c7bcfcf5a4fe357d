import { errorCode } from '../../lib/error-code.ts';
import type { StorageFault } from '../storage-unavailable.ts';

/** Codes of https://nodejs.org/api/errors.html#common-system-errors and of name resolution. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNABORTED',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'EMFILE',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT',
  'ENOTFOUND',
  'EPIPE',
  'ERR_STREAM_DESTROYED',
  'ERR_STREAM_WRITE_AFTER_END',
  'ETIMEDOUT',
]);

/** What an error of the connection itself means, TLS included; undefined for any other error. */
export function networkFault(error: Error): StorageFault | undefined {
  // All addresses of a name were tried in vain.
  if (error instanceof AggregateError) return 'gone';
  const code = errorCode(error) ?? '';
  if (NETWORK_CODES.has(code)) return 'gone';
  // OpenSSL's verdicts have names such as SELF_SIGNED_CERT_IN_CHAIN.
  if (/^ERR_(TLS|SSL)_|CERT|_SIGNATURE$|^HANDSHAKE_|SSL/.test(code)) return 'untrusted';
  return /\b(SSL|secure connection)\b/.test(error.message) ? 'untrusted' : undefined;
}
