import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Endpoint } from '../wire/paths.ts';

/** Answers a request by sending on `reply`. */
export type Handler = (request: FastifyRequest, reply: FastifyReply) => Promise<FastifyReply> | FastifyReply;

/** What an endpoint does with each method. */
export interface Handlers {
  /** Before the body is read. Calls `goOn`, or answers. */
  readonly onRequest?: (request: FastifyRequest, reply: FastifyReply, goOn: () => void) => void;
  readonly POST: Handler;
  readonly DELETE?: Handler;
  /** Any other method: the endpoint's own 405. */
  readonly otherwise: Handler;
}

/** Registers an endpoint under all its paths: without slash, with it, and with anything behind it. */
export function route(server: FastifyInstance, endpoint: Endpoint, handlers: Handlers): void {
  const handler: Handler = (request, reply) => {
    if (request.method === 'POST') return handlers.POST(request, reply);
    if (request.method === 'DELETE' && handlers.DELETE !== undefined) return handlers.DELETE(request, reply);
    return handlers.otherwise(request, reply);
  };
  for (const url of endpoint.patterns) {
    server.route({
      method: server.supportedMethods,
      url,
      ...(handlers.onRequest === undefined ? {} : { onRequest: handlers.onRequest }),
      handler,
    });
  }
}
