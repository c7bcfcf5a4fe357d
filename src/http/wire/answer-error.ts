import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import type { HttpEvents } from '../http-events.ts';
import { BODY_LIMIT } from '../listener/raw-body.ts';
import { sendText } from '../routes/pbx-routes.ts';
import { sendDetail, sendUnavailable } from './app-replies.ts';
import { OUTCOME_REPLIES } from './outcome-replies.ts';
import { endpointOf, isPbxEndpoint } from './paths.ts';

/** What answering an error needs. */
export interface ErrorDeps {
  /** Whether an error means that the database could not be asked. */
  readonly isStorageError: (error: unknown) => boolean;
  readonly events: Pick<HttpEvents, 'requestInvalid' | 'requestFailed' | 'storageFailed'>;
}

/** Clients' faults keep their 4xx; an unreachable database is 503; anything else is a bug of ours. */
export function answerError(
  deps: ErrorDeps,
  error: FastifyError,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const endpoint = endpointOf(request.url);
  const forPbx = isPbxEndpoint(endpoint);
  const status = error.statusCode ?? 500;
  if (status >= 400 && status < 500) {
    deps.events.requestInvalid({ endpoint, field: 'request', problem: error.code ?? 'unreadable' });
    const sentence = clientFault(status);
    return forPbx ? sendText(reply, status, sentence) : sendDetail(reply, status, sentence);
  }
  if (deps.isStorageError(error)) {
    deps.events.storageFailed({ during: `answering ${endpoint}`, error });
    return forPbx ? sendNak(reply, 503) : sendUnavailable(reply);
  }
  deps.events.requestFailed({ endpoint, error });
  return forPbx ? sendNak(reply, 500) : sendDetail(reply, 500, 'Internal server error.');
}

const CLIENT_FAULTS: Readonly<Record<number, string>> = {
  408: 'The request was not sent in time.',
  413: `The body is longer than ${BODY_LIMIT} bytes.`,
  415: 'Unsupported media type "" in request.',
  417: 'No expectation but 100-continue is met.',
  431: 'The headers of the request are too long.',
};

/** What a client is told about its own fault, by status. */
export function clientFault(status: number): string {
  return CLIENT_FAULTS[status] ?? 'Malformed request.';
}

function sendNak(reply: FastifyReply, status: number): FastifyReply {
  return sendText(reply, status, OUTCOME_REPLIES['storage-unavailable']);
}

const NOT_FOUND = '<h1>Not Found</h1><p>The requested URL was not found on this server.</p>';

/** The page for every path that leads nowhere; it never repeats the path. */
export function answerNotFound(_request: FastifyRequest, reply: FastifyReply): FastifyReply {
  return reply.code(404).header('content-type', 'text/html').send(NOT_FOUND);
}
