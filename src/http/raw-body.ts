import type { FastifyInstance, FastifyRequest } from 'fastify';

const NOTHING = Buffer.alloc(0);

/**
 * Hands every body on as bytes, whatever its type: which type is read how, and what comes first when several things
 * are wrong, is decided in one place (`body/read-body.ts`), after authentication.
 */
export function acceptRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

/** The bytes of the body; none where there was no body. */
export function rawBody(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NOTHING;
}
