import { createServer as createHttpServer, type RequestListener } from 'node:http';
import Fastify, {
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
} from 'fastify';
import { type AnswerParts, addAnswerRoutes } from './answer-routes.ts';
import { sendDetail, sendUnavailable } from './app-replies.ts';
import { createBoundedServer, drainServer } from './bounded-server.ts';
import { ConnectionBound } from './connection-bound.ts';
import { addDeviceRoutes, type DeviceParts } from './device-routes.ts';
import type { HttpEvents } from './http-events.ts';
import { addOpsRoutes, type OpsParts } from './ops-routes.ts';
import { OUTCOME_REPLIES } from './outcome-replies.ts';
import { ALL_ENDPOINTS } from './paths.ts';
import type { AddressList } from './pbx-access.ts';
import { addPbxRoutes, type PbxParts, sendText } from './pbx-routes.ts';
import { acceptRawBodies, BODY_LIMIT } from './raw-body.ts';
import { addReportRoutes, type ReportParts } from './report-routes.ts';
import type { TlsListener } from './tls-listener.ts';

/** Milliseconds within which a client must have sent its headers, and its whole request. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;
/** Milliseconds that an idle connection is kept; PBXs and proxies reuse theirs. */
const KEEP_ALIVE_TIMEOUT = 72_000;

/** Fastify hands these only to servers that it made itself. */
const TIME_LIMITS = {
  headersTimeout: HEADERS_TIMEOUT,
  requestTimeout: REQUEST_TIMEOUT,
  keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  connectionsCheckingInterval: 5_000,
};

/** Everything that the outside world can reach. */
export interface ServerParts {
  readonly pbx: PbxParts;
  readonly answers: AnswerParts;
  readonly devices: DeviceParts;
  readonly reports: ReportParts;
  readonly ops: OpsParts;
  readonly trustProxy: AddressList | undefined;
  /** Connections at once; beyond it those are closed that have been without a request for longest. */
  readonly maxConnections: number;
  /** Further connections that may be open for a moment, so that each can send its request. */
  readonly connectionsBeyond: number;
  /** Milliseconds after which a client that does not read its response is cut off; default 15,000. */
  readonly stalledMs?: number;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsListener | undefined;
  /** Whether an error means that the database could not be asked. */
  readonly isStorageError: (error: unknown) => boolean;
  readonly events: HttpEvents;
}

/** The HTTP server, not listening yet. It translates; every decision is taken behind it. */
export function createServer(parts: ServerParts): FastifyInstance {
  const { trustProxy, tls, events } = parts;
  const bound = new ConnectionBound({
    most: parts.maxConnections,
    beyond: parts.connectionsBeyond,
    isStopping: parts.pbx.isDraining,
    ...(parts.stalledMs === undefined ? {} : { stalledMs: parts.stalledMs }),
    onClosed: (why) => events.connectionClosed({ why }),
  });
  const create = tls === undefined ? createHttpServer : tls.createServer;
  const server = Fastify({
    logger: false,
    serverFactory: (onRequest: RequestListener) => createBoundedServer(bound, create, TIME_LIMITS, onRequest),
    trustProxy: trustProxy === undefined ? false : (address: string) => trustProxy.contains(address),
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1_000 },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    frameworkErrors: (error, request, reply) => {
      answerError(parts, error, request, reply);
    },
  });
  if (tls !== undefined) closeOutdated(server, tls);
  followBodies(server, bound);
  server.addHook('preClose', () => drainServer(server.server, bound));
  acceptRawBodies(server);
  server.setErrorHandler((error: FastifyError, request, reply) => answerError(parts, error, request, reply));
  server.setNotFoundHandler(notFound);
  addPbxRoutes(server, parts.pbx);
  addAnswerRoutes(server, parts.answers);
  addDeviceRoutes(server, parts.devices);
  addReportRoutes(server, parts.reports);
  addOpsRoutes(server, parts.ops);
  return server;
}

/** Around the handlers, before which the body has been read: a hook would cost each request more. */
function followBodies(server: FastifyInstance, bound: ConnectionBound): void {
  server.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = function followed(request, reply) {
      bound.requestIsWhole(request.socket);
      return handler.call(this, request, reply);
    };
  });
}

/** A kept connection that was made with former TLS files ends with the answer that it is owed. */
function closeOutdated(server: FastifyInstance, tls: TlsListener): void {
  server.addHook('onRequest', (request, reply, done) => {
    if (tls.isOutdated(request.socket)) reply.header('connection', 'close');
    done();
  });
}

/** Clients' faults keep their 4xx; the database being away is 503; anything else is a bug of ours. */
function answerError(
  parts: ServerParts,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const endpoint = endpointOf(request.url);
  const forPbx = endpoint === 'incoming-call' || endpoint === 'call-cancelled';
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    parts.events.requestInvalid({ endpoint, field: 'request', problem: error.code ?? 'unreadable' });
    const sentence = CLIENT_FAULTS[status] ?? 'Malformed request.';
    return forPbx ? sendText(reply, status, sentence) : sendDetail(reply, status, sentence);
  }
  if (parts.isStorageError(error)) {
    parts.events.storageFailed({ during: `answering ${endpoint}`, error });
    return forPbx ? sendNak(reply, 503) : sendUnavailable(reply);
  }
  parts.events.requestFailed({ endpoint, error });
  return forPbx ? sendNak(reply, 500) : sendDetail(reply, 500, 'Internal server error.');
}

const CLIENT_FAULTS: Readonly<Record<number, string>> = {
  413: `The body is longer than ${BODY_LIMIT} bytes.`,
  415: 'Unsupported media type "" in request.',
};

function sendNak(reply: FastifyReply, status: number): FastifyReply {
  return sendText(reply, status, OUTCOME_REPLIES['storage-unavailable']);
}

const ENDPOINT_OF_PATH = /^\/api\/([a-z-]{1,20})(?:[/?]|$)/;
const API_NAMES: ReadonlySet<string> = new Set(
  ALL_ENDPOINTS.filter(({ path }) => path.startsWith('/api/')).map(({ name }) => name),
);

/** The endpoint's name for log and metric: a closed set, whatever was asked for. */
function endpointOf(url: string): string {
  const name = ENDPOINT_OF_PATH.exec(url)?.[1] ?? '';
  return API_NAMES.has(name) ? name : 'other';
}

const NOT_FOUND = '<h1>Not Found</h1><p>The requested URL was not found on this server.</p>';

function notFound(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(404).header('content-type', 'text/html').send(NOT_FOUND);
}
