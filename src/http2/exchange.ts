import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  constants,
  type IncomingHttpHeaders,
} from 'node:http2';
import type { PendingRequest } from './channel-pending.ts';
import type { ChannelRequest } from './channel-types.ts';

/** Longest response body that is taken, in bytes; the answers of push services are far below. */
const MAX_RESPONSE_BYTES = 65_536;
/** Longest sum of header names and values that is sent, in characters; node:http2 ends the connection above 64 KiB. */
const MAX_HEADER_CHARACTERS = 32_768;

const PATH = /^\/[\x21-\x7e]*$/;
const VALUE = /^[\t\x20-\x7e]*$/;
const NO_HEADERS: IncomingHttpHeaders = {};
function ignore(): void {}

/**
 * Makes the header lists of one connection's requests. node:http2 joins headers by NUL bytes and checks no values, so a control
 * character would become another header, or end the whole connection for everyone else. A value that was sent before under
 * the same name is not looked through again: those are the long ones.
 */
export class RequestHeaders {
  readonly #authority: string;
  readonly #lastSent = new Map<string, string>();

  /** `authority`: host and port of the peer. */
  constructor(authority: string) {
    this.#authority = authority;
  }

  /** Undefined for a request that cannot be sent. */
  listOf(request: ChannelRequest): string[] | undefined {
    const { path, headers } = request;
    if (!PATH.test(path)) return undefined;
    const list = [':method', 'POST', ':scheme', 'https', ':authority', this.#authority, ':path', path];
    let characters = path.length;
    for (const name in headers) {
      const value = headers[name];
      if (value === undefined || !this.#isSound(name, value)) return undefined;
      characters += name.length + value.length;
      list.push(name, value);
    }
    return characters > MAX_HEADER_CHARACTERS ? undefined : list;
  }

  #isSound(name: string, value: string): boolean {
    if (this.#lastSent.get(name) === value) return true;
    if (!VALUE.test(value)) return false;
    this.#lastSent.set(name, value);
    return true;
  }
}

/**
 * Puts a request on the wire and settles it when its answer is complete. Returns undefined, with nothing sent, when it
 * cannot be expressed in HTTP/2. `closed` is called once when the stream is gone; the request may still be unsettled then.
 */
export function openExchange(
  session: ClientHttp2Session,
  requestHeaders: RequestHeaders,
  pending: PendingRequest,
  closed: (pending: PendingRequest, stream: ClientHttp2Stream) => void,
): ClientHttp2Stream | undefined {
  const list = requestHeaders.listOf(pending.request);
  if (list === undefined) return undefined;
  let stream: ClientHttp2Stream;
  try {
    stream = session.request(list, { endStream: false });
  } catch {
    // The only thing thrown is what is wrong with the header list; the caller learns it as `malformed`.
    return undefined;
  }
  let status = 0;
  let headers = NO_HEADERS;
  let length = 0;
  let body: Buffer | undefined;
  let more: Buffer[] | undefined;

  const answer = (): void => {
    const whole = more === undefined ? body : Buffer.concat(more);
    pending.settle({ kind: 'answered', status, headers, body: whole === undefined ? '' : whole.toString() });
    // An answer that came before all of the request was read: nothing more of it is wanted.
    if (!stream.writableFinished && !stream.closed) stream.close(constants.NGHTTP2_CANCEL);
  };
  stream.on('response', (incoming: IncomingHttpHeaders & { ':status'?: number }, flags: number) => {
    status = incoming[':status'] ?? 0;
    headers = incoming;
    if ((flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0) answer();
  });
  stream.on('data', (chunk: Buffer) => {
    length += chunk.length;
    if (length > MAX_RESPONSE_BYTES) {
      pending.fail('malformed');
      stream.close(constants.NGHTTP2_CANCEL);
    } else if (body === undefined) body = chunk;
    else if (more === undefined) more = [body, chunk];
    else more.push(chunk);
  });
  stream.on('end', () => {
    // A stream that is cut off ends as well: by RST_STREAM with a code, or destroyed with its connection.
    if (status !== 0 && stream.rstCode === constants.NGHTTP2_NO_ERROR && !stream.destroyed) answer();
  });
  stream.on('error', ignore);
  stream.on('close', () => closed(pending, stream));
  stream.end(pending.request.body);
  return stream;
}
