import type { IncomingMessage } from 'node:http';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { bodyFormat } from '../wire/body/media-type.ts';

/** Bytes of a body at most; the longest legitimate one is about 2 KiB. */
export const BODY_LIMIT = 64 * 1024;

const NOTHING = Buffer.alloc(0);

/** A body that is too long, or did not come whole. Fastify answers it and then closes the connection. */
class BodyFault extends Error {
  readonly statusCode: 400 | 413;
  readonly code: 'body-too-long' | 'body-incomplete';

  constructor(statusCode: 400 | 413, code: BodyFault['code'], options?: ErrorOptions) {
    super(code, options);
    this.statusCode = statusCode;
    this.code = code;
  }
}

/**
 * Hands every body on as bytes, whatever its type: which type is read how, and what comes first when several things
 * are wrong, is decided in one place (`body/read-body.ts`), after authentication. Fastify itself would answer 415 to a
 * Content-Type that is no media type before anybody is authenticated, and even where there is no body, so it is not
 * shown the types that we cannot read either (`hideUnreadType`).
 */
export function acceptRawBodies(server: FastifyInstance): void {
  server.removeAllContentTypeParsers();
  // Fastify remembers what a pattern matched; the parser `*` makes it read the header anew for each request.
  server.addContentTypeParser(/^/, (request, _payload, done) => collect(request.raw, done));
}

/** To be called before Fastify sees the request; `contentType` finds what is hidden. */
export function hideUnreadType({ headers }: IncomingMessage): void {
  const type = headers['content-type'];
  if (type !== undefined && bodyFormat(type) === 'none') delete headers['content-type'];
}

/**
 * Fastify's own way of reading a body takes its listeners off again and copies what came, which costs each call some µs: here
 * they end with the request, and the one chunk that nearly every body is stays as it is.
 */
function collect(request: IncomingMessage, done: (error: Error | null, body?: Buffer) => void): void {
  if (Number(request.headers['content-length']) > BODY_LIMIT) {
    done(new BodyFault(413, 'body-too-long'));
    return;
  }
  const chunks: Buffer[] = [];
  let length = 0;
  let isOver = false;
  const settle = (error: BodyFault | null, body?: Buffer): void => {
    // A client that hangs up later is an error of its request, too.
    if (isOver) return;
    isOver = true;
    done(error, body);
  };
  request.on('data', (chunk: Buffer) => {
    if (isOver) return;
    length += chunk.length;
    if (length <= BODY_LIMIT) chunks.push(chunk);
    else settle(new BodyFault(413, 'body-too-long'));
  });
  request.on('end', () => settle(null, chunks.length === 1 ? chunks[0] : Buffer.concat(chunks, length)));
  request.on('error', (cause) => settle(new BodyFault(400, 'body-incomplete', { cause })));
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
