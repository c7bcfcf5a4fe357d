import { createHash, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { FastifyRequest } from 'fastify';
import { bareAddress } from '../../lib/bare-address.ts';
import { clientAddress, isForwarded, shownAddress } from './forwarded.ts';

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

/** Whose address was looked at, for the log. */
export interface CheckedAddress {
  /** May be no address at all: what X-Forwarded-For says. At most 64 characters. */
  readonly address: string;
  readonly addressFrom: 'X-Forwarded-For' | 'connection';
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
      if (!isAllowed(rules.allow, request)) return wrongAddress(request);
    }
    const uncertified = rules.certificate?.(request);
    if (uncertified !== undefined) return uncertified;
    if (expected !== undefined && !holdsToken(request.headers.authorization, expected)) return WRONG_TOKEN;
    return undefined;
  };
}

/** Most addresses have no port and no zone that would have to be taken off first. */
function isAllowed(allow: AddressList, request: FastifyRequest): boolean {
  return allow.contains(request.ip) || allow.contains(clientAddress(request));
}

function forwardingRefusal(
  request: FastifyRequest,
  trustProxy: AddressList | undefined,
): PbxRefusal | undefined {
  if (!isForwarded(request)) return undefined;
  const proxy = bareAddress(request.socket.remoteAddress);
  if (trustProxy?.contains(proxy) !== true) return untrustedProxy(proxy);
  const clients = String(request.headers['x-forwarded-for'] ?? '');
  return /^[\s,]*$/.test(clients) ? SILENT_PROXY : undefined;
}

/**
 * The address that a request is judged by, and where it comes from: the connection's own, unless a proxy of TRUST_PROXY
 * names another.
 */
export function checkedAddress(request: FastifyRequest): CheckedAddress {
  const isForwardedFor = (request.ips?.length ?? 1) > 1;
  return {
    address: shownAddress(clientAddress(request)),
    addressFrom: isForwardedFor ? 'X-Forwarded-For' : 'connection',
  };
}

function wrongAddress(request: FastifyRequest): PbxRefusal {
  const { address, addressFrom } = checkedAddress(request);
  const source = addressFrom === 'connection' ? 'the address of the connection' : 'from X-Forwarded-For';
  const fault = isIP(address) === 0 ? 'is not an IP address, and so not' : 'is not';
  return { why: 'address', sentence: `Refused: ${address} (${source}) ${fault} in PBX_ALLOW.` };
}

function untrustedProxy(proxy: string): PbxRefusal {
  return {
    why: 'untrusted-proxy',
    sentence: `Refused: the request was forwarded by ${shownAddress(proxy)}, a proxy that TRUST_PROXY does not name.`,
  };
}

const SILENT_PROXY: PbxRefusal = {
  why: 'untrusted-proxy',
  sentence: 'Refused: the proxy in front does not say in X-Forwarded-For whose request this is.',
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
