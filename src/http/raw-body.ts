import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyFormat } from './body/media-type.ts';

const NOTHING = Buffer.alloc(0);

/**
 * Hands every body on as bytes, whatever its type: which type is read how, and what comes first when several things
 * are wrong, is decided in one place (`body/read-body.ts`), after authentication. Fastify itself would answer 415 to a
 * Content-Type that is no media type before anybody is authenticated, and even where there is no body, so it is not
 * shown the types that we cannot read either; `contentType` finds them.
 */
export function acceptRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  // Fastify remembers what a pattern matched; the parser `*` makes it read the header anew for each request.
  server.addContentTypeParser(/^/, { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
  server.addHook('onRequest', (request, _reply, done) => {
    const { headers } = request.raw;
    const type = headers['content-type'];
    if (type !== undefined && bodyFormat(type) === 'none') delete headers['content-type'];
    done();
  });
}

/** The bytes of the body; none where there was no body. */
export function rawBody(request: FastifyRequest): Buffer {
  return Buffer.isBuffer(request.body) ? request.body : NOTHING;
}

/** The Content-Type header as it was sent; undefined where there was none. */
export function contentType(request: FastifyRequest): string | undefined {
  return request.headers['content-type'] ?? hiddenContentType(request.raw.rawHeaders);
}

/** Names and values alternate; of a repeated header the first counts, as everywhere in Node. */
function hiddenContentType(rawHeaders: readonly string[]): string | undefined {
  for (let at = 0; at < rawHeaders.length; at += 2) {
    if (rawHeaders[at]?.toLowerCase() === 'content-type') return rawHeaders[at + 1];
  }
  return undefined;
}
