import { type Agent, request as httpRequest, type IncomingHttpHeaders } from 'node:http';
import { request as httpsRequest } from 'node:https';
import { monotonic } from '../lib/monotonic.ts';
import { readBody } from './read-body.ts';

/** A request as a client of the service makes it. */
export interface HttpQuestion {
  readonly method: 'POST' | 'DELETE';
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Connections to share; a new one for the request, unless told. */
  readonly agent?: Agent | undefined;
  /** Hangs up when aborted. */
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds until the client gives up. */
  readonly timeoutMs: number;
}

/** The answer, whole. */
export interface HttpAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** From the call to the last byte of the answer. */
  readonly tookMs: number;
}

const MAX_ANSWER_BYTES = 65_536;

/** Sends one request; redirects are not followed. Rejects on a broken connection, on abort and past the time-out. */
export function sendHttp(question: HttpQuestion): Promise<HttpAnswer> {
  return new Promise((resolve, reject) => {
    const started = monotonic();
    const { method, url, headers, body, agent, signal } = question;
    const send = url.startsWith('https:') ? httpsRequest : httpRequest;
    const request = send(url, {
      method,
      headers: { ...headers, 'content-length': Buffer.byteLength(body) },
      ...(agent === undefined ? { agent: false } : { agent }),
      ...(signal === undefined ? {} : { signal }),
    });
    const timer = setTimeout(() => {
      request.destroy(new Error(`No answer within ${question.timeoutMs} ms.`));
    }, question.timeoutMs);
    request.once('close', () => clearTimeout(timer));
    request.once('error', reject);
    request.once('response', async (response) => {
      const content = await readBody(response, MAX_ANSWER_BYTES);
      if (content.kind !== 'whole') {
        reject(new Error(`The answer's body is ${content.kind}.`));
        return;
      }
      resolve({
        status: response.statusCode ?? 0,
        headers: response.headers,
        body: content.bytes.toString('utf8'),
        tookMs: monotonic() - started,
      });
    });
    request.end(body);
  });
}
