import { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';
import { isForwarded } from './forwarded.ts';
import type { PbxRefusal } from './pbx-access.ts';

/**
 * Whether the certificate of a request's connection was signed by an authority of PBX_CLIENT_CA_FILE and holds still;
 * undefined where it does. `socket.authorized` alone is not enough: Node says true for a resumed TLS 1.3 connection
 * that never showed a certificate, and a kept connection outlives the certificate that it was made with.
 */
export function certificateRefusal(
  request: Pick<FastifyRequest, 'headers' | 'socket'>,
): PbxRefusal | undefined {
  const { socket } = request;
  if (isForwarded(request)) return refused(FORWARDED);
  const certificate = socket instanceof TLSSocket ? socket.getPeerX509Certificate() : undefined;
  if (certificate === undefined || !(socket instanceof TLSSocket)) return refused(NONE_SHOWN);
  if (!socket.authorized) return refused(sentenceFor(String(socket.authorizationError)));
  if (certificate.validToDate.getTime() <= Date.now()) return refused(EXPIRED);
  return undefined;
}

function refused(sentence: string): PbxRefusal {
  return { why: 'certificate', sentence: `Refused: ${sentence}` };
}

const FORWARDED =
  'the request was forwarded by a proxy, so that no client certificate of the PBX can be seen; PBX_CLIENT_CA_FILE wants the PBX to connect itself.';
const NONE_SHOWN = 'a client certificate signed by a CA of PBX_CLIENT_CA_FILE is needed, and none was shown.';
const EXPIRED = 'the client certificate has expired.';

/** OpenSSL's verdicts (openssl-verification-options) whose cure is another one than another authority. */
const SENTENCES: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: EXPIRED,
  CERT_NOT_YET_VALID: 'the client certificate is not valid yet.',
  INVALID_PURPOSE: 'the certificate shown is not meant for clients (extended key usage clientAuth).',
};

function sentenceFor(code: string): string {
  return SENTENCES[code] ?? `the client certificate is not signed by a CA of PBX_CLIENT_CA_FILE (${code}).`;
}
