import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { isForwarded } from './forwarded.ts';

/** Addresses that are let in, or whose word on the client's address counts. */
export interface AddressList {
  contains(address: string): boolean;
}

/** Which PBXs may ask for calls; each that is set must hold. */
export interface PbxAccessRules {
  readonly allow: AddressList | undefined;
  readonly token: string | undefined;
  /** Judges the client certificate of the connection; undefined: none is asked for. */
  readonly certificate: ((request: FastifyRequest) => PbxRefusal | undefined) | undefined;
  readonly trustProxy: AddressList | undefined;
}

/** Why a PBX was refused, and what its operator should look at. */
export interface PbxRefusal {
  readonly why: 'address' | 'certificate' | 'token' | 'untrusted-proxy';
  readonly sentence: string;
}

/**
 * Decides whether a request may act as a PBX. A request that a proxy forwarded is refused where addresses are checked
 * unless TRUST_PROXY names the proxy and it says for whom (`X-Forwarded-For`): its address is else the proxy's, often
 * loopback, and would let everyone in.
 */
export function createPbxAccess(rules: PbxAccessRules): (request: FastifyRequest) => PbxRefusal | undefined {
  const expected = rules.token === undefined ? undefined : digest(rules.token);
  return (request) => {
    if (rules.allow !== undefined) {
      const forwarding = forwardingRefusal(request, rules.trustProxy);
      if (forwarding !== undefined) return forwarding;
      if (!rules.allow.contains(request.ip)) return WRONG_ADDRESS;
    }
    const uncertified = rules.certificate?.(request);
    if (uncertified !== undefined) return uncertified;
    if (expected !== undefined && !holdsToken(request.headers.authorization, expected)) return WRONG_TOKEN;
    return undefined;
  };
}

function forwardingRefusal(
  request: FastifyRequest,
  trustProxy: AddressList | undefined,
): PbxRefusal | undefined {
  if (!isForwarded(request)) return undefined;
  if (trustProxy?.contains(request.socket.remoteAddress ?? '') !== true) return UNTRUSTED_PROXY;
  return request.headers['x-forwarded-for'] === undefined ? SILENT_PROXY : undefined;
}

const UNTRUSTED_PROXY: PbxRefusal = {
  why: 'untrusted-proxy',
  sentence: 'Refused: the request was forwarded by a proxy that TRUST_PROXY does not name.',
};
const SILENT_PROXY: PbxRefusal = {
  why: 'untrusted-proxy',
  sentence: 'Refused: the proxy in front does not tell in X-Forwarded-For whose request this is.',
};
const WRONG_ADDRESS: PbxRefusal = {
  why: 'address',
  sentence: 'Refused: this address is not in PBX_ALLOW.',
};
const WRONG_TOKEN: PbxRefusal = {
  why: 'token',
  sentence: 'Refused: "Authorization: Bearer ..." with the PBX_TOKEN of this service is needed.',
};

/** Digests have one length, so that the comparison takes the same time whatever was sent. */
function holdsToken(authorization: string | undefined, expected: Buffer): boolean {
  const sent = /^bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? '';
  return timingSafeEqual(digest(sent), expected);
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
