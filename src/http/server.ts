import { createServer as createHttpServer, type RequestListener } from 'node:http';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { bareAddress } from '../lib/bare-address.ts';
import type { AddressList } from './access/pbx-access.ts';
import type { HttpEvents } from './http-events.ts';
import { createBoundedServer, drainServer } from './listener/bounded-server.ts';
import { ConnectionBound } from './listener/connection-bound.ts';
import {
  createClientErrorHandler,
  OUR_FAULTS,
  refuseExpectations,
  refuseFaults,
} from './listener/protocol-faults.ts';
import { acceptRawBodies, hideUnreadType } from './listener/raw-body.ts';
import type { TlsListener } from './listener/tls-listener.ts';
import { type AnswerParts, addAnswerRoutes } from './routes/answer-routes.ts';
import { addDeviceRoutes, type DeviceParts } from './routes/device-routes.ts';
import { addHealthRoutes, addOpsRoutes, type OpsParts } from './routes/ops-routes.ts';
import { addPbxRoutes, type PbxParts } from './routes/pbx-routes.ts';
import { addReportRoutes, type ReportParts } from './routes/report-routes.ts';
import { answerError, answerNotFound, type ErrorParts } from './wire/answer-error.ts';
import { routedUrl } from './wire/routed-url.ts';

/** Milliseconds within which a client must have sent its headers, and its whole request. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;

/** Fastify hands these only to servers that it made itself. */
const LIMITS = {
  ...OUR_FAULTS,
  headersTimeout: HEADERS_TIMEOUT,
  requestTimeout: REQUEST_TIMEOUT,
  connectionsCheckingInterval: 5_000,
};

/** Everything that the outside world can reach. */
export interface ServerParts extends ErrorParts {
  /** Whose endpoints: with a listener of their own for PBXs, the other one has none of theirs, and the other way round. */
  readonly serves: 'everything' | 'apps' | 'pbxs';
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
  /** Milliseconds that an idle connection is kept; PBXs and proxies reuse theirs. */
  readonly keepAliveMs: number;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsListener | undefined;
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
    serverFactory: (onRequest: RequestListener) =>
      createBoundedServer(
        bound,
        create,
        { ...LIMITS, keepAliveTimeout: parts.keepAliveMs },
        refuseFaults(routed(onRequest), events),
      ),
    trustProxy:
      trustProxy === undefined ? false : (address: string) => trustProxy.contains(bareAddress(address)),
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1_000 },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: createClientErrorHandler(parts.events, bound),
    frameworkErrors: (error, request, reply) => {
      answerError(parts, error, request, reply);
    },
  });
  if (tls !== undefined) closeOutdated(server, tls);
  refuseExpectations(server.server, events);
  followBodies(server, bound);
  server.addHook('preClose', () => drainServer(server.server, bound));
  acceptRawBodies(server);
  server.setErrorHandler((error: FastifyError, request, reply) => answerError(parts, error, request, reply));
  server.setNotFoundHandler(answerNotFound);
  addRoutes(server, parts);
  return server;
}

/** Fastify's own `rewriteUrl` and hooks cost each request more. */
function routed(onRequest: RequestListener): RequestListener {
  return (request, response) => {
    request.url = routedUrl(request.url ?? '');
    hideUnreadType(request);
    onRequest(request, response);
  };
}

function addRoutes(server: FastifyInstance, parts: ServerParts): void {
  if (parts.serves !== 'apps') addPbxRoutes(server, parts.pbx);
  if (parts.serves === 'pbxs') {
    addHealthRoutes(server, parts.ops);
    return;
  }
  addAnswerRoutes(server, parts.answers);
  addDeviceRoutes(server, parts.devices);
  addReportRoutes(server, parts.reports);
  addOpsRoutes(server, parts.ops);
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
