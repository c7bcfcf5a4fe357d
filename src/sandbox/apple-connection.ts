import type { Http2Session } from 'node:http2';
import { TLSSocket } from 'node:tls';
import { isRecord } from '../lib/is-record.ts';

/** What Apple remembers of one connection. */
export interface AppleConnection {
  /** The client certificate: none, one that is not valid, or the bundle id of one that is. */
  readonly certificate:
    | { readonly kind: 'none' }
    | { readonly kind: 'invalid' }
    | { readonly kind: 'valid'; readonly bundleId: string };
  /** The key of the first provider token that came over it. */
  keyId: string | undefined;
  /** Whether a request with valid credentials came over it. */
  authorized: boolean;
}

function certificateOf(socket: unknown): AppleConnection['certificate'] {
  if (!(socket instanceof TLSSocket)) return { kind: 'none' };
  const subject: unknown = socket.getPeerCertificate()?.subject;
  if (!isRecord(subject)) return { kind: 'none' };
  const bundleId = subject['UID'] ?? subject['CN'];
  return socket.authorized && typeof bundleId === 'string'
    ? { kind: 'valid', bundleId }
    : { kind: 'invalid' };
}

/** Looks at a connection's client certificate once, and starts its memory. */
export function createAppleConnection(session: Http2Session): AppleConnection {
  return {
    certificate: certificateOf(session.socket),
    keyId: undefined,
    authorized: false,
  };
}
