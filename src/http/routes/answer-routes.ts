import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerFate } from '../../calls/answer-bus.ts';
import { PROOF_PARAMETER } from '../../calls/answer-proof.ts';
import type { ClientLimits } from '../access/limits/client-limits.ts';
import type { HttpEvents } from '../http-events.ts';
import { sendDone, sendLimited, sendMethodNotAllowed, sendUnavailable } from '../wire/app-replies.ts';
import { decodeFields } from '../wire/fields/decode-fields.ts';
import { ENDPOINTS } from '../wire/paths.ts';
import { appFieldsOf, readFields, refuseField } from '../wire/read-fields.ts';
import { CallResponse } from '../wire/schemas.ts';
import { route } from './route.ts';

const ENDPOINT = ENDPOINTS.callResponse;

/** What the app's answer needs. */
export interface AnswerDeps {
  /** The app's word for a key; the first one ends the call's wait. */
  readonly answer: (uniqueKey: string, available: boolean) => Promise<AnswerFate>;
  /** Addresses that name calls which nobody knows. */
  readonly limits: Pick<ClientLimits, 'answers'>;
  /** What must be proven before an answer is looked at; undefined: nothing. */
  readonly proof: AnswerProofRule | undefined;
  readonly events: Pick<HttpEvents, 'requestInvalid' | 'requestRefused' | 'answerUnproven'>;
}

/** Whether an answer comes from whoever got the push. */
export interface AnswerProofRule {
  /** `proof` is what stood in the query, empty where nothing did. */
  readonly proves: (uniqueKey: string, proof: string) => boolean;
  /** False: an answer without its proof is counted, and taken. */
  readonly demanded: boolean;
}

/**
 * `POST /api/call-response/`: nobody is authenticated (the key is the secret; any Authorization header is ignored).
 * 202 where the answer came in time, 404 where nobody waits for it, 503 where only another instance could tell and none
 * can be asked. The time that the app echoes is checked to be a
 * number and not used: the service has its own clock.
 */
export function addAnswerRoutes(server: FastifyInstance, deps: AnswerDeps): void {
  route(server, ENDPOINT, {
    POST: (request, reply) => callResponse(deps, request, reply),
    otherwise: (request, reply) => sendMethodNotAllowed(reply, request.method, ENDPOINT.methods),
  });
}

async function callResponse(
  deps: AnswerDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const read = readFields(request);
  const raw = appFieldsOf(read instanceof Promise ? await read : read, reply, ENDPOINT.name, deps.events);
  if (raw === undefined) return reply;
  const body = decodeFields(CallResponse, raw);
  if (!body.ok) {
    refuseField(reply, ENDPOINT.name, body, deps.events);
    return reply;
  }
  const { unique_key: uniqueKey, available } = body.value;
  if (lacksProof(deps, request, uniqueKey)) return refuse(deps, request, reply);
  // Also from an address over its limit, whatever it guesses: a phone that answers is never limited.
  const fate = await deps.answer(uniqueKey, available);
  switch (fate) {
    case 'taken':
    case 'duplicate':
      return sendDone(reply, 202);
    case 'late':
    case 'unknown':
      return refuse(deps, request, reply);
    case 'undecided':
      return sendUnavailable(reply);
    default:
      return fate satisfies never;
  }
}

/** 404, and once too many came from the address 429; apps take both for a call that is gone. */
function refuse({ limits, events }: AnswerDeps, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const blockedForMs = limits.answers.blockedForMs(request);
  if (blockedForMs > 0) {
    events.requestRefused({ endpoint: ENDPOINT.name, why: 'limited' });
    return sendLimited(reply, blockedForMs);
  }
  limits.answers.failed(request);
  return sendDone(reply, 404);
}

/** True where the answer must be refused: without its proof it has to look like one to a call that nobody knows. */
function lacksProof(
  { proof: rule, events }: AnswerDeps,
  request: FastifyRequest,
  uniqueKey: string,
): boolean {
  if (rule === undefined) return false;
  const proof = proofOf(request.url);
  if (rule.proves(uniqueKey, proof)) return false;
  events.answerUnproven({ uniqueKey, proof: proof === '' ? 'missing' : 'wrong', refused: rule.demanded });
  return rule.demanded;
}

/** Retrofit 1 (vialer-android of February 2016) puts a slash behind the address, and so behind the proof. */
function proofOf(url: string): string {
  const query = url.indexOf('?');
  const sent = query === -1 ? null : new URLSearchParams(url.slice(query)).get(PROOF_PARAMETER);
  return sent?.replace(/\/$/, '') ?? '';
}
