import type { FastifyInstance } from 'fastify';
import { sendJson, sendMethodNotAllowed } from './app-replies.ts';
import { ENDPOINTS, type Endpoint } from './paths.ts';
import type { Handler } from './route.ts';

/** Whether new calls may be sent to this instance. */
export interface Readiness {
  /** Why not; empty where they may. */
  readonly notReady: readonly string[];
  /** What does not work as it should although calls do. */
  readonly degraded: readonly string[];
}

/** What load balancers, orchestrators and integrators ask. */
export interface OpsParts {
  readonly readiness: () => Promise<Readiness>;
  /** The OpenAPI document as JSON text. */
  readonly openApi: string;
}

/** `GET /healthz` (the process is alive), `/readyz` (send it calls) and `/openapi.json`. */
export function addOpsRoutes(server: FastifyInstance, parts: OpsParts): void {
  addHealthRoutes(server, parts);
  addGet(server, ENDPOINTS.openApi, (_request, reply) => sendJson(reply, 200, parts.openApi));
}

/** The two health routes alone, for the metrics port. */
export function addHealthRoutes(server: FastifyInstance, parts: Pick<OpsParts, 'readiness'>): void {
  addGet(server, ENDPOINTS.alive, (_request, reply) => sendJson(reply, 200, ALIVE));
  addGet(server, ENDPOINTS.ready, async (_request, reply) => {
    const { notReady, degraded } = await parts.readiness();
    if (notReady.length > 0)
      return sendJson(reply, 503, JSON.stringify({ status: 'not ready', reasons: notReady }));
    // Still 200: were every instance without Redis taken out of service, no call at all would be woken.
    return sendJson(
      reply,
      200,
      JSON.stringify({ status: degraded.length === 0 ? 'ready' : 'degraded', reasons: degraded }),
    );
  });
}

const ALIVE = '{"status":"alive"}';

/** GET and, since load balancers probe with it, HEAD; any other method is 405. */
function addGet(server: FastifyInstance, endpoint: Endpoint, handler: Handler): void {
  const answer: Handler = (request, reply) =>
    request.method === 'GET' || request.method === 'HEAD'
      ? handler(request, reply)
      : sendMethodNotAllowed(reply, request.method, ['GET', 'HEAD']);
  for (const url of endpoint.patterns) {
    server.route({ method: server.supportedMethods, url, exposeHeadRoute: false, handler: answer });
  }
}
