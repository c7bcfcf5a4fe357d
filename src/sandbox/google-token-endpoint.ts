import type { IncomingMessage, ServerResponse } from 'node:http';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import type { Readable } from 'node:stream';
import type { FaultScript } from './fault-script.ts';
import { type GoogleTokens, renderOauthError } from './google-tokens.ts';
import type { HttpFault } from './http-fault.ts';
import { type Closable, pause } from './pause.ts';
import { readBody } from './read-body.ts';
import type { Reply } from './serve-stream.ts';

/** A request for the token endpoint, whichever HTTP it came by. */
interface Asked {
  readonly method: string | undefined;
  readonly path: string | undefined;
  readonly contentType: string | undefined;
  readonly body: Readable;
  /** Closes when the asker goes away. */
  readonly exchange: Closable;
}

const MAX_FORM_BYTES = 16_384;

/** `POST /token`, over HTTP/2 and over HTTP/1.1. */
export interface GoogleTokenEndpoint {
  onStream(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): Promise<void>;
  onHttp1(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

async function answer(tokens: GoogleTokens, asked: Asked): Promise<Reply> {
  const body = await readBody(asked.body, MAX_FORM_BYTES);
  if (asked.path !== '/token') return renderOauthError(404, 'not_found');
  if (asked.method !== 'POST') return renderOauthError(405, 'method_not_allowed');
  if (!/^application\/x-www-form-urlencoded\b/i.test(asked.contentType ?? '') || body.kind !== 'whole') {
    return renderOauthError(400, 'invalid_request', 'A form body is needed.');
  }
  return tokens.trade(new URLSearchParams(body.bytes.toString('utf8')));
}

/** Makes the endpoint, which fails as `faults` say. */
export function createGoogleTokenEndpoint(deps: {
  readonly tokens: GoogleTokens;
  readonly faults: Pick<FaultScript<HttpFault>, 'take'>;
}): GoogleTokenEndpoint {
  /** The reply, or what else is to be done. */
  const decide = async (asked: Asked): Promise<Reply | 'hang' | 'disconnect'> => {
    const fault = deps.faults.take('/token')?.fault;
    switch (fault?.kind) {
      case 'hang':
      case 'disconnect':
        return fault.kind;
      case 'answer':
        return { status: fault.status, headers: fault.headers ?? {}, body: fault.body ?? '' };
      case 'delay':
        await pause(fault.ms, asked.exchange);
        return answer(deps.tokens, asked);
      case undefined:
        return answer(deps.tokens, asked);
      default:
        return fault satisfies never;
    }
  };
  return {
    onStream: async (stream, headers) => {
      const { ':method': method, ':path': path, 'content-type': contentType } = headers;
      const reply = await decide({ method, path, contentType, body: stream, exchange: stream });
      if (reply === 'hang' || stream.closed || stream.destroyed) return;
      if (reply === 'disconnect') {
        stream.session?.destroy();
        return;
      }
      stream.respond({ ...reply.headers, ':status': reply.status });
      stream.end(reply.body);
    },
    onHttp1: async (request, response) => {
      const { method, url, headers } = request;
      const reply = await decide({
        method,
        path: url,
        contentType: headers['content-type'],
        body: request,
        exchange: response,
      });
      if (reply === 'hang' || response.destroyed) return;
      if (reply === 'disconnect') request.destroy();
      else response.writeHead(reply.status, reply.headers).end(reply.body);
    },
  };
}
