import type { RequestListener } from 'node:http';
import Fastify, { type FastifyError, type FastifyInstance } from 'fastify';
import { bareAddress } from '../lib/bare-address.ts';
import { answerError, answerNotFound, type ErrorParts } from './answer-error.ts';
import { type AnswerParts, addAnswerRoutes } from './answer-routes.ts';
import { ConnectionBound } from './connection-bound.ts';
import { addDeviceRoutes, type DeviceParts } from './device-routes.ts';
import type { HttpEvents } from './http-events.ts';
import { addHealthRoutes, addOpsRoutes, type OpsParts } from './ops-routes.ts';
import type { AddressList } from './pbx-access.ts';
import { addPbxRoutes, type PbxParts } from './pbx-routes.ts';
import { answerProtocolFaults, createClientErrorHandler, OUR_FAULTS } from './protocol-faults.ts';
import { acceptRawBodies } from './raw-body.ts';
import { addReportRoutes, type ReportParts } from './report-routes.ts';
import { routedUrl } from './routed-url.ts';
import type { TlsListener } from './tls-listener.ts';

/** Milliseconds within which a client must have sent its headers, and its whole request. */
const HEADERS_TIMEOUT = 10_000;
const REQUEST_TIMEOUT = 20_000;
/** Milliseconds that an idle connection is kept; PBXs and proxies reuse theirs. */
const KEEP_ALIVE_TIMEOUT = 72_000;

const CONNECTION_LIMITS = {
  ...OUR_FAULTS,
  headersTimeout: HEADERS_TIMEOUT,
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
  /** Connections at once; past it those are closed that have been without a request for longest. */
  readonly maxConnections: number;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsListener | undefined;
  readonly events: HttpEvents;
}

/** The HTTP server, not listening yet. It translates; every decision is taken behind it. */
export function createServer(parts: ServerParts): FastifyInstance {
  const { trustProxy } = parts;
  const server = Fastify({
    logger: false,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
    connectionTimeout: 0,
    http: CONNECTION_LIMITS,
    ...secureServer(parts.tls),
    trustProxy:
      trustProxy === undefined ? false : (address: string) => trustProxy.contains(bareAddress(address)),
    routerOptions: { caseSensitive: true, ignoreTrailingSlash: false, maxParamLength: 1_000 },
    exposeHeadRoutes: false,
    return503OnClosing: false,
    rewriteUrl: ({ url }) => routedUrl(url ?? ''),
    clientErrorHandler: createClientErrorHandler(parts.events),
    frameworkErrors: (error, request, reply) => {
      answerError(parts, error, request, reply);
    },
  });
  if (parts.tls !== undefined) closeOutdated(server, parts.tls);
  boundConnections(server, parts);
  answerProtocolFaults(server, parts.events);
  acceptRawBodies(server);
  server.setErrorHandler((error: FastifyError, request, reply) => answerError(parts, error, request, reply));
  server.setNotFoundHandler(answerNotFound);
  addRoutes(server, parts);
  return server;
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

/** Fastify hands its time limits only to servers that it made itself. */
function secureServer(tls: TlsListener | undefined) {
  if (tls === undefined) return {};
  const limits = {
    ...CONNECTION_LIMITS,
    requestTimeout: REQUEST_TIMEOUT,
    keepAliveTimeout: KEEP_ALIVE_TIMEOUT,
  };
  return { serverFactory: (onRequest: RequestListener) => tls.createServer(limits, onRequest) };
}

function boundConnections(server: FastifyInstance, { maxConnections, events }: ServerParts): void {
  const bound = new ConnectionBound({ most: maxConnections, onClosed: () => events.connectionClosed() });
  bound.watch(server.server);
  // Around the handlers, before which the body has been read: a hook would cost each request more.
  server.addHook('onRoute', (route) => {
    const { handler } = route;
    route.handler = function followed(request, reply) {
      const connection = bound.requestBegins(request.socket);
      if (connection !== undefined) reply.raw.on('close', () => bound.requestEnds(connection));
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
