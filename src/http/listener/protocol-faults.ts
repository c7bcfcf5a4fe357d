import {
  type IncomingMessage,
  type RequestListener,
  type Server,
  type ServerResponse,
  STATUS_CODES,
} from 'node:http';
import type { Socket } from 'node:net';
import { errorCode } from '../../lib/error-code.ts';
import type { HttpEvents } from '../http-events.ts';
import { clientFault } from '../wire/answer-error.ts';
import { endpointOf, isPbxEndpoint } from '../wire/paths.ts';
import { routedUrl } from '../wire/routed-url.ts';
import type { ConnectionBound } from './connection-bound.ts';

type FaultEvents = Pick<HttpEvents, 'requestInvalid'>;

/** Options of the HTTP parser that leave the answers to its faults to us. */
export const OUR_FAULTS = { requireHostHeader: false };

/** Faults of Node's parser (llhttp) and timers that have another status than 400. */
const STATUSES: Readonly<Record<string, number>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  HPE_HEADER_OVERFLOW: 431,
};

/**
 * Answers what cannot be read as HTTP, after the requests before it, and closes the connection. Anything else that breaks a
 * connection (a reset, a fault of TLS) ends it without a word.
 */
export function createClientErrorHandler(
  events: FaultEvents,
  bound: Pick<ConnectionBound, 'requestsOf'>,
): (error: Error, socket: Socket) => void {
  return (error, socket) => {
    const code = errorCode(error) ?? '';
    const isProtocolFault = code.startsWith('HPE_') || code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (!isProtocolFault || !socket.writable) {
      socket.destroy();
      return;
    }
    bound.requestsOf(socket)?.lastly(() => {
      if (beginsWithProxyHeader(error)) {
        events.requestInvalid({ endpoint: 'other', field: 'request', problem: PROXY_PROTOCOL });
        writeFault(socket, 'other', 400, 'The PROXY protocol is not spoken here.');
        return;
      }
      const endpoint = endpointOf(targetIn(error));
      events.requestInvalid({ endpoint, field: 'request', problem: code });
      writeFault(socket, endpoint, STATUSES[code] ?? 400);
    });
  };
}

function writeFault(socket: Socket, endpoint: string, status: number, sentence = clientFault(status)): void {
  const { type, body } = faultBody(endpoint, sentence);
  socket.write(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\nconnection: close\r\n\r\n${body}`,
  );
  socket.destroySoon();
}

const PROXY_PROTOCOL =
  'begins with the PROXY protocol, which this service does not speak: switch it off in the load balancer and let that set X-Forwarded-For';
/** Versions 1 and 2, https://www.haproxy.org/download/3.0/doc/proxy-protocol.txt */
const PROXY_HEADERS = [Buffer.from('PROXY '), Buffer.from('\r\n\r\n\0\r\nQUIT\n')];

function beginsWithProxyHeader(error: Error): boolean {
  const bytes = rawPacketOf(error);
  return PROXY_HEADERS.some((header) => bytes.subarray(0, header.length).equals(header));
}

function rawPacketOf(error: Error): Buffer {
  return 'rawPacket' in error && Buffer.isBuffer(error.rawPacket) ? error.rawPacket : Buffer.alloc(0);
}

/** The target of the request line, where the bytes that could not be read begin with one; else empty. */
function targetIn(error: Error): string {
  const [, target = ''] = /^[A-Z]+ (\S+)/.exec(rawPacketOf(error).toString('latin1', 0, 256)) ?? [];
  return routedUrl(target);
}

/** In ASCII, so that its length is its number of bytes. */
function faultBody(endpoint: string, sentence: string): { readonly type: string; readonly body: string } {
  return isPbxEndpoint(endpoint)
    ? { type: 'text/plain; charset=utf-8', body: sentence }
    : { type: 'application/json', body: JSON.stringify({ detail: sentence }) };
}

/** Answers expectations other than 100-continue (RFC 9110, 10.1.1), which Node would answer in its own words. */
export function refuseExpectations(server: Server, events: FaultEvents): void {
  server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) =>
    refuse(request, response, { status: 417, problem: 'expectation', events }),
  );
}

/** Answers requests that Node and Fastify would take although they must not be. A hook of Fastify costs each request more. */
export function refuseFaults(onRequest: RequestListener, events: FaultEvents): RequestListener {
  return (request, response) => {
    const problem = problemOf(request);
    if (problem === undefined) onRequest(request, response);
    else refuse(request, response, { status: 400, problem, events });
  };
}

interface Refusal {
  readonly status: 400 | 417;
  readonly problem: string;
  readonly events: FaultEvents;
}

/** Which request this is may be unclear to a proxy in front: nothing else of this connection is believed. */
function refuse(
  request: IncomingMessage,
  response: ServerResponse,
  { status, problem, events }: Refusal,
): void {
  const endpoint = endpointOf(routedUrl(request.url ?? ''));
  events.requestInvalid({ endpoint, field: 'request', problem });
  const { type, body } = faultBody(endpoint, clientFault(status));
  const headers = { 'content-type': type, 'content-length': body.length, connection: 'close' };
  response.writeHead(status, headers).end(body);
}

/** No tunnels: what follows a CONNECT is no HTTP. */
function problemOf(request: IncomingMessage): 'method' | 'host' | undefined {
  if (request.method === 'CONNECT') return 'method';
  return hasOneHost(request) ? undefined : 'host';
}

/** What stands between two hosts in one header, as a proxy joins them. */
const SEVERAL = /[\s,]/;

/** RFC 9112, 3.2: one Host header with one host, which HTTP/1.0 may leave out. Node shows the first of several. */
function hasOneHost(request: IncomingMessage): boolean {
  const { rawHeaders } = request;
  let hosts = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at];
    if (name?.length !== 4 || name.toLowerCase() !== 'host') continue;
    if (SEVERAL.test(rawHeaders[at + 1] ?? '')) return false;
    hosts += 1;
  }
  return hosts === 1 || (hosts === 0 && request.httpVersion === '1.0');
}
