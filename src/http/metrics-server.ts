import Fastify, { type FastifyError, type FastifyInstance, type FastifyReply } from 'fastify';
import { answerNotFound, clientFault } from './answer-error.ts';
import { sendDetail } from './app-replies.ts';
import { addHealthRoutes, type OpsParts } from './ops-routes.ts';
import { createClientErrorHandler } from './protocol-faults.ts';

/** What the metrics port serves. */
export interface MetricsParts extends Pick<OpsParts, 'readiness'> {
  /** Prometheus text. */
  readonly read: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** Errors in our own words, as on the main listener; what scrapers and probes do wrong is not counted. */
const OUR_ERRORS = {
  clientErrorHandler: createClientErrorHandler({ requestInvalid: () => {} }),
  frameworkErrors: (error: FastifyError, _request: unknown, reply: FastifyReply) => {
    const status = error.statusCode ?? 500;
    sendDetail(reply, status, status < 500 ? clientFault(status) : 'Internal server error.');
  },
};

/** The second listener: `GET /metrics` (and `/`, where the reference served it) beside the health routes. */
export function createMetricsServer(parts: MetricsParts): FastifyInstance {
  const server = Fastify({
    logger: false,
    requestTimeout: 10_000,
    forceCloseConnections: true,
    ...OUR_ERRORS,
  });
  server.setErrorHandler(OUR_ERRORS.frameworkErrors);
  server.setNotFoundHandler(answerNotFound);
  for (const url of ['/metrics', '/']) {
    server.get(url, async (_request, reply) => {
      const { contentType, text } = await parts.read();
      return reply.header('content-type', contentType).send(text);
    });
  }
  addHealthRoutes(server, parts);
  return server;
}
