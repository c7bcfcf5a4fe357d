import type { FastifyRequest } from 'fastify';

/** Headers by which a proxy tells of itself or of its client; the first is the one that is believed of TRUST_PROXY. */
const HEADERS = ['x-forwarded-for', 'forwarded', 'x-real-ip', 'x-forwarded-host', 'x-forwarded-proto'];

/** Whether a request shows that a proxy handed it on, so that its connection is not its sender's. */
export function isForwarded({ headers }: Pick<FastifyRequest, 'headers'>): boolean {
  return HEADERS.some((name) => headers[name] !== undefined);
}
