import { createServer } from 'node:http';
import { setImmediate as turn } from 'node:timers/promises';
import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { sharedRun } from '../../lib/shared-run.ts';
import { addHealthRoutes, type OpsDeps } from '../routes/ops-routes.ts';
import { answerNotFound, clientFault } from '../wire/answer-error.ts';
import { sendDetail } from '../wire/app-replies.ts';
import { createBoundedServer, drainServer } from './bounded-server.ts';
import type { ConnectionLimits } from './connection.ts';
import { ConnectionBound } from './connection-bound.ts';
import { createClientErrorHandler, OUR_FAULTS, refuseExpectations, refuseFaults } from './protocol-faults.ts';

/** What the metrics port serves. */
export interface MetricsDeps extends Pick<OpsDeps, 'readiness'>, Pick<ConnectionLimits, 'onClosed'> {
  /** Prometheus text. */
  readonly read: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** What scrapers and probes do wrong is not counted. */
const UNCOUNTED = { requestInvalid: () => {} };

/** Errors in our own words, as on the main listener. */
function answerError(error: FastifyError, _request: unknown, reply: FastifyReply): void {
  const status = error.statusCode ?? 500;
  sendDetail(reply, status, status < 500 ? clientFault(status) : 'Internal server error.');
}

/** Connections: scrapers, probes and load balancers. They come out of the open files that PBXs and apps do not use. */
const CONNECTIONS = { most: 50, beyond: 20 };
const TIME_LIMITS = {
  ...OUR_FAULTS,
  headersTimeout: 10_000,
  requestTimeout: 10_000,
  keepAliveTimeout: 72_000,
};

/** The second listener: `GET /metrics` (and `/`, where the reference served it) beside the health routes. */
export function createMetricsServer(deps: MetricsDeps): FastifyInstance {
  // A rendering takes the event loop longer than all else here: a burst of scrapes must not cost one each.
  const read = sharedRun(deps.read);
  const bound = new ConnectionBound({ ...CONNECTIONS, onClosed: deps.onClosed });
  const server = Fastify({
    logger: false,
    clientErrorHandler: createClientErrorHandler(UNCOUNTED, bound),
    frameworkErrors: answerError,
    serverFactory: (onRequest) =>
      createBoundedServer(bound, createServer, TIME_LIMITS, refuseFaults(onRequest, UNCOUNTED)),
  });
  refuseExpectations(server.server, UNCOUNTED);
  server.setErrorHandler(answerError);
  server.setNotFoundHandler(answerNotFound);
  server.addHook('preClose', () => drainServer(server.server, bound));
  for (const url of ['/metrics', '/']) {
    server.get(url, async (request, reply) => {
      // That its client has left already is read from the connection in the next turn only.
      await turn();
      await turn();
      if (!request.socket.writable) return reply;
      const { contentType, text } = await read();
      return reply.header('content-type', contentType).send(text);
    });
  }
  addHealthRoutes(server, deps);
  return server;
}
