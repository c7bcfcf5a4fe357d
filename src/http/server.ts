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
import { type AnswerDeps, addAnswerRoutes } from './routes/answer-routes.ts';
import { addDeviceRoutes, type DeviceDeps } from './routes/device-routes.ts';
import { addHealthRoutes, addOpsRoutes, type OpsDeps } from './routes/ops-routes.ts';
import { addPbxRoutes, type PbxDeps } from './routes/pbx-routes.ts';
import { addReportRoutes, type ReportDeps } from './routes/report-routes.ts';
import { answerError, answerNotFound, type ErrorDeps } from './wire/answer-error.ts';
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
export interface ServerDeps extends ErrorDeps {
  /** Whose endpoints: with a listener of their own for PBXs, the other one has none of theirs, and the other way round. */
  readonly serves: 'everything' | 'apps' | 'pbxs';
  readonly pbx: PbxDeps;
  readonly answers: AnswerDeps;
  readonly devices: DeviceDeps;
  readonly reports: ReportDeps;
  readonly ops: OpsDeps;
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
export function createServer(deps: ServerDeps): FastifyInstance {
  const { trustProxy, tls, events } = deps;
  const bound = new ConnectionBound({
    most: deps.maxConnections,
    beyond: deps.connectionsBeyond,
    isStopping: deps.pbx.isDraining,
    ...(deps.stalledMs === undefined ? {} : { stalledMs: deps.stalledMs }),
    onClosed: (why) => events.connectionClosed({ why }),
  });
  const create = tls === undefined ? createHttpServer : tls.createServer;
  const server = Fastify({
    logger: false,
    serverFactory: (onRequest: RequestListener) =>
      createBoundedServer(
        bound,
        create,
        { ...LIMITS, keepAliveTimeout: deps.keepAliveMs },
        refuseFaults(routed(onRequest), events),
      ),
    trustProxy:
      trustProxy === undefined ? false : (address: string) => trustProxy.contains(bareAddress(address)),
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1_000 },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    clientErrorHandler: createClientErrorHandler(deps.events, bound),
    frameworkErrors: (error, request, reply) => {
      answerError(deps, error, request, reply);
    },
  });
  if (tls !== undefined) closeOutdated(server, tls);
  refuseExpectations(server.server, events);
  followBodies(server, bound);
  server.addHook('preClose', () => drainServer(server.server, bound));
  acceptRawBodies(server);
  server.setErrorHandler((error: FastifyError, request, reply) => answerError(deps, error, request, reply));
  server.setNotFoundHandler(answerNotFound);
  addRoutes(server, deps);
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

function addRoutes(server: FastifyInstance, deps: ServerDeps): void {
  if (deps.serves !== 'apps') addPbxRoutes(server, deps.pbx);
  if (deps.serves === 'pbxs') {
    addHealthRoutes(server, deps.ops);
    return;
  }
  addAnswerRoutes(server, deps.answers);
  addDeviceRoutes(server, deps.devices);
  addReportRoutes(server, deps.reports);
  addOpsRoutes(server, deps.ops);
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
