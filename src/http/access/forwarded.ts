import type { FastifyRequest } from 'fastify';
import { bareAddress } from '../../lib/bare-address.ts';

/** Headers by which a proxy tells of itself or of its client; the first is the one that is believed of TRUST_PROXY. */
const HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto'];

/** Whether a request shows that a proxy handed it on, so that its connection is not its sender's. */
export function isForwarded({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return HEADERS.some((name) => headers[name] !== undefined);
}

/** The address of the client, as the limits and PBX_ALLOW see it. */
export function clientAddress(request: Pick<FastifyRequest, 'ip'>): string {
  return bareAddress(request.ip);
}

/** Most characters of an address that are repeated: no IP address is longer. */
const MAX_SHOWN = 64;

/** An address for an answer or a log line, whatever was sent as one: signs that no address has are question marks. */
export function shownAddress(address: string): string {
  const shown = address.slice(0, MAX_SHOWN).replace(/[^0-9A-Za-z.:%_-]/g, '?');
  return shown === '' ? '(empty)' : shown;
}
