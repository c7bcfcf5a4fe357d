import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerFate } from '../calls/answer-bus.ts';
import { sendDone, sendMethodNotAllowed, sendUnavailable } from './app-replies.ts';
import { decodeFields } from './fields/decode-fields.ts';
import type { HttpEvents } from './http-events.ts';
import { ENDPOINTS } from './paths.ts';
import { readAppFields, refuseField } from './read-fields.ts';
import { route } from './route.ts';
import { CallResponse } from './schemas.ts';

const ENDPOINT = ENDPOINTS.callResponse;

/** What the app's answer needs. */
export interface AnswerParts {
  /** The app's word for a key; the first one ends the call's wait. */
  readonly answer: (uniqueKey: string, available: boolean) => Promise<AnswerFate>;
  readonly events: Pick<HttpEvents, 'requestInvalid'>;
}

/**
 * `POST /api/call-response/`: nobody is authenticated (the key is the secret; any Authorization header is ignored).
 * 202 where the answer came in time, 404 where nobody waits for it, 503 where only another instance could tell and none
 * can be asked. The time that the app echoes is checked to be a
 * number and not used: the service has its own clock.
 */
export function addAnswerRoutes(server: FastifyInstance, parts: AnswerParts): void {
  route(server, ENDPOINT, {
    POST: (request, reply) => callResponse(parts, request, reply),
    otherwise: (request, reply) => sendMethodNotAllowed(reply, request.method, ENDPOINT.methods),
  });
}

async function callResponse(
  parts: AnswerParts,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const raw = await readAppFields(request, reply, ENDPOINT.name, parts.events);
  if (raw === undefined) return reply;
  const body = decodeFields(CallResponse, raw);
  if (!body.ok) {
    refuseField(reply, ENDPOINT.name, body, parts.events);
    return reply;
  }
  const fate = await parts.answer(body.value.unique_key, body.value.available);
  switch (fate) {
    case 'taken':
    case 'duplicate':
      return sendDone(reply, 202);
    case 'late':
    case 'unknown':
      return sendDone(reply, 404);
    case 'undecided':
      return sendUnavailable(reply);
    default:
      return fate satisfies never;
  }
}
