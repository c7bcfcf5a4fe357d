import type { FastifyInstance } from 'fastify';
import { sendJson, sendMethodNotAllowed } from '../wire/app-replies.ts';
import { ENDPOINTS, type Endpoint } from '../wire/paths.ts';
import type { Handler } from './route.ts';

/** What readiness is about; a closed set, for metrics. */
export const READINESS_SUBJECTS = ['stopping', 'database', 'registrations', 'redis', 'apps', 'load'] as const;
export type ReadinessSubject = (typeof READINESS_SUBJECTS)[number];

/** Something that is not as it should be. */
export interface ReadinessReason {
  readonly subject: ReadinessSubject;
  /** For the operator; names neither addresses nor accounts, because anybody may ask. */
  readonly text: string;
}

/** Whether new calls may be sent to this instance. */
export interface Readiness {
  /** Why this instance cannot serve calls; empty if it can. */
  readonly notReady: readonly ReadinessReason[];
  /** What does not work as it should although calls ring. */
  readonly degraded: readonly ReadinessReason[];
}

/** The word of `/readyz` for it. */
export function statusOf({ notReady, degraded }: Readiness) {
  if (notReady.length > 0) return 'not ready';
  return degraded.length > 0 ? 'degraded' : 'ready';
}

/** What load balancers, orchestrators and integrators ask. */
export interface OpsDeps {
  readonly readiness: () => Promise<Readiness>;
  /** The OpenAPI document as JSON text. */
  readonly openApi: string;
}

/** `GET /healthz` (the process is alive), `/readyz` (send it calls) and `/openapi.json`. */
export function addOpsRoutes(server: FastifyInstance, deps: OpsDeps): void {
  addHealthRoutes(server, deps);
  addGet(server, ENDPOINTS.openApi, (_request, reply) => sendJson(reply, 200, deps.openApi));
}

/** The two health routes alone, for the metrics port. */
export function addHealthRoutes(server: FastifyInstance, deps: Pick<OpsDeps, 'readiness'>): void {
  addGet(server, ENDPOINTS.alive, (_request, reply) => sendJson(reply, 200, ALIVE));
  addGet(server, ENDPOINTS.ready, async (_request, reply) => {
    const readiness = await deps.readiness();
    const status = statusOf(readiness);
    const reasons = status === 'not ready' ? readiness.notReady : readiness.degraded;
    // Degraded is 200: it mostly concerns every instance at once, and without them no call at all would be woken.
    return sendJson(
      reply,
      status === 'not ready' ? 503 : 200,
      JSON.stringify({ status, reasons: reasons.map(({ text }) => text) }),
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
