import Fastify, { type FastifyInstance } from 'fastify';
import { addHealthRoutes, type OpsParts } from './ops-routes.ts';

/** What the metrics port serves. */
export interface MetricsParts extends Pick<OpsParts, 'readiness'> {
  /** Prometheus text. */
  readonly read: () => Promise<{ readonly contentType: string; readonly text: string }>;
}

/** The second listener: `GET /metrics` (and `/`, where the reference served it) beside the health routes. */
export function createMetricsServer(parts: MetricsParts): FastifyInstance {
  const server = Fastify({ logger: false, requestTimeout: 10_000, forceCloseConnections: true });
  for (const url of ['/metrics', '/']) {
    server.get(url, async (_request, reply) => {
      const { contentType, text } = await parts.read();
      return reply.header('content-type', contentType).send(text);
    });
  }
  addHealthRoutes(server, parts);
  return server;
}
