import type { FastifyInstance } from 'fastify';

/** What load balancers, orchestrators and integrators ask. */
export interface OpsParts {
  /** Why the service is not ready for new calls; empty when it is. */
  readonly notReady: () => Promise<readonly string[]>;
  /** The OpenAPI document as JSON text. */
  readonly openApi: string;
}

/** `GET /healthz` (the process is alive), `/readyz` (send it calls) and `/openapi.json`. */
export function addOpsRoutes(server: FastifyInstance, parts: OpsParts): void {
  addHealthRoutes(server, parts);
  const openApi = Buffer.from(parts.openApi);
  server.get('/openapi.json', (_request, reply) =>
    reply.header('content-type', 'application/json').send(openApi),
  );
}

/** The two health routes alone, for the metrics port. */
export function addHealthRoutes(server: FastifyInstance, parts: Pick<OpsParts, 'notReady'>): void {
  server.get('/healthz', (_request, reply) => reply.send({ status: 'alive' }));
  server.get('/readyz', async (_request, reply) => {
    const reasons = await parts.notReady();
    const ready = reasons.length === 0;
    return reply.code(ready ? 200 : 503).send({ status: ready ? 'ready' : 'not ready', reasons });
  });
}
