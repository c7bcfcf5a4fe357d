import type { FastifyReply } from 'fastify';

/**
 * The answers that apps in the field know, to the letter: Django REST framework's bodies with the content type
 * `application/json` and no charset. The JSON text `""` matters: Alamofire takes an empty 200 for an error, and the
 * Flutter app's converter fails on anything but a JSON string.
 */
const EMPTY_STRING = '""';

function asItStands(json: unknown): string {
  return String(json);
}

/**
 * A JSON body as it stands. Fastify adds a charset to JSON text that has no serializer of its own; sent as bytes, the
 * body would cost a second buffer in the write to the socket.
 */
export function sendJson(reply: FastifyReply, status: number, json: string): FastifyReply {
  return reply.code(status).header('content-type', 'application/json').serializer(asItStands).send(json);
}

/** `""` with a status. */
export function sendDone(reply: FastifyReply, status: 200 | 201 | 202 | 404): FastifyReply {
  return sendJson(reply, status, EMPTY_STRING);
}

/** No body and no content type, as the reporting endpoints answer. */
export function sendNothing(reply: FastifyReply, status: 200 | 404): FastifyReply {
  return reply.code(status).send();
}

/** `{"detail": …}`, the form of every error. */
export function sendDetail(reply: FastifyReply, status: number, detail: string): FastifyReply {
  return sendJson(reply, status, JSON.stringify({ detail }));
}

/** A body that makes no sense: the reference never said why; the header does. */
export function sendMalformed(reply: FastifyReply, field: string): FastifyReply {
  return sendDetail(reply.header('x-invalid-field', field), 400, 'Malformed request.');
}

/** No device, or no app. */
export function sendNotFound(reply: FastifyReply): FastifyReply {
  return sendDetail(reply, 404, 'Not found.');
}

/** A method that the endpoint does not have. */
export function sendMethodNotAllowed(
  reply: FastifyReply,
  method: string,
  allowed: readonly string[],
): FastifyReply {
  return sendDetail(reply.header('allow', allowed.join(', ')), 405, `Method "${method}" not allowed.`);
}

/** Missing or refused credentials. Apps log their user out on 401, so nothing else may use it. */
export function sendUnauthenticated(reply: FastifyReply, detail: string): FastifyReply {
  return sendDetail(reply.header('www-authenticate', 'Basic'), 401, detail);
}

/** Too many failures came from there; seconds, rounded up. No app takes it for anything but a failure. */
export function sendLimited(reply: FastifyReply, blockedForMs: number): FastifyReply {
  return sendDetail(
    reply.header('retry-after', Math.ceil(blockedForMs / 1_000)),
    429,
    'Request was throttled.',
  );
}

/** Not now: the platform API or the database is away. */
export function sendUnavailable(reply: FastifyReply): FastifyReply {
  return sendDetail(reply, 503, 'Service temporarily unavailable, try again later.');
}
