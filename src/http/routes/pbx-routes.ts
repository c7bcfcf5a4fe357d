import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { AnswerBus } from '../../calls/answer-bus.ts';
import type { CallAsk } from '../../calls/call.ts';
import type { Caller, TakenCall } from '../../calls/take-call.ts';
import { monotonic } from '../../lib/monotonic.ts';
import type { AddressLimit } from '../access/limits/client-limits.ts';
import { checkedAddress, type PbxRefusal } from '../access/pbx-access.ts';
import type { HttpEvents } from '../http-events.ts';
import type { BodySchema, BodyValue, Fields } from '../wire/fields/body-schema.ts';
import { decodeFields } from '../wire/fields/decode-fields.ts';
import { pbxBody } from '../wire/outcome-replies.ts';
import { ENDPOINTS } from '../wire/paths.ts';
import { type FieldsRead, problemOf, readFields } from '../wire/read-fields.ts';
import { CallCancelled, IncomingCall } from '../wire/schemas.ts';
import { route } from './route.ts';

/** What the PBX's side needs. */
export interface PbxDeps {
  /** The story of a call. */
  readonly takeCall: (ask: CallAsk, caller: Caller) => Promise<TakenCall>;
  /** Ends the waits for a call_id. */
  readonly cancelCall: AnswerBus['cancel'];
  readonly refusal: (request: FastifyRequest) => PbxRefusal | undefined;
  readonly limit: AddressLimit;
  /** True once the service is stopping: new calls are sent elsewhere. */
  readonly isDraining: () => boolean;
  readonly events: Pick<HttpEvents, 'pbxAnswered' | 'requestRefused' | 'requestInvalid'>;
}

/** `POST /api/incoming-call/` and `POST /api/call-cancelled/`: text in, text out. */
export function addPbxRoutes(server: FastifyInstance, deps: PbxDeps): void {
  const onRequest = (request: FastifyRequest, reply: FastifyReply, goOn: () => void): void => {
    const refused = deps.refusal(request);
    if (refused === undefined) {
      goOn();
      return;
    }
    // Whoever may ask is never limited, because calls would be lost: only what the others hear depends on it.
    const blockedForMs = deps.limit.blockedForMs(request);
    deps.limit.failed(request);
    const why = blockedForMs > 0 ? 'limited' : refused.why;
    deps.events.requestRefused({ endpoint: 'pbx', why, ...checkedAddress(request) });
    if (blockedForMs === 0) sendText(reply, 403, refused.sentence);
    else sendText(reply.header('retry-after', Math.ceil(blockedForMs / 1_000)), 429, TOO_MANY);
  };
  route(server, ENDPOINTS.incomingCall, {
    onRequest,
    POST: (request, reply) => incomingCall(deps, request, reply),
    otherwise: (_request, reply) => methodNotAllowed(reply),
  });
  route(server, ENDPOINTS.callCancelled, {
    onRequest,
    POST: (request, reply) => callCancelled(deps, request, reply),
    otherwise: (_request, reply) => methodNotAllowed(reply),
  });
}

async function incomingCall(
  deps: PbxDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const askedAt = monotonic();
  const read = readFields(request, 'lenient');
  const asked = decodeAsk(deps, read instanceof Promise ? await read : read, reply, askedAt);
  if (asked === undefined) return reply;
  // What was read is not kept for as long as the call waits.
  request.body = undefined;
  const { ask, outcomeInBody } = asked;
  if (deps.isDraining()) return sendDraining(reply, outcomeInBody);
  const taken = await deps.takeCall(ask, callerOf(reply));
  if (request.headers['x-wake-trace'] !== undefined) addTrace(reply, taken);
  if (deps.isDraining()) reply.header('connection', 'close');
  const { outcome } = taken.ending;
  sendText(reply.header('x-wake-outcome', outcome), 200, pbxBody(outcome, outcomeInBody));
  if (taken.answeredAt !== undefined) deps.events.pbxAnswered({ delayMs: monotonic() - taken.answeredAt });
  return reply;
}

/** What the PBX asks and how it wants its answer, or undefined when the answer has been sent. */
function decodeAsk(
  deps: PbxDeps,
  read: FieldsRead,
  reply: FastifyReply,
  askedAt: number,
): { readonly ask: CallAsk; readonly outcomeInBody: boolean } | undefined {
  const fields = decodePbxFields(deps, ENDPOINTS.incomingCall.name, read, reply, IncomingCall);
  if (fields === undefined) return undefined;
  const ask: CallAsk = {
    askedAt,
    account: fields.sip_user_id,
    callId: fields.call_id,
    phoneNumber: fields.phonenumber,
    callerId: fields.caller_id,
  };
  return { ask, outcomeInBody: fields.outcome_in_body };
}

/** Watches the PBX's connection: an answer that can no longer be delivered is not waited for. */
function callerOf(reply: FastifyReply): Caller {
  const caller: Caller = { gone: reply.raw.destroyed, onGone: undefined };
  reply.raw.on('close', () => {
    if (reply.raw.writableFinished) return;
    caller.gone = true;
    caller.onGone?.();
  });
  return caller;
}

/** For `devices wake`: how long each step took (Server-Timing, milliseconds) and why the call ended as it did. */
function addTrace(reply: FastifyReply, taken: TakenCall): void {
  const steps = [
    ['push', taken.pushAcceptedAfterMs],
    ['answer', taken.answeredAfterMs],
  ] as const;
  const timings = steps.flatMap(([name, ms]) => (ms === undefined ? [] : [`${name};dur=${ms.toFixed(1)}`]));
  if (timings.length > 0) reply.header('server-timing', timings.join(', '));
  // A header holds visible ASCII only.
  const reason = (taken.ending.reason ?? '').replace(/[^\x20-\x7e]/g, '?').slice(0, 200);
  if (reason !== '') reply.header('x-wake-reason', reason);
}

async function callCancelled(
  deps: PbxDeps,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const read = await readFields(request, 'lenient');
  const fields = decodePbxFields(deps, ENDPOINTS.callCancelled.name, read, reply, CallCancelled);
  if (fields === undefined) return reply;
  const ended = await deps.cancelCall(fields.call_id, fields.reason === '' ? null : fields.reason);
  if (ended === 'undecided') return sendText(reply, 503, CANCEL_UNDECIDED);
  return ended > 0
    ? sendText(reply, 200, 'status=CANCELLED')
    : sendText(reply, 404, 'No call with this call_id is waiting.');
}

/** The decoded body, or undefined when the answer has been sent: a sentence that names the field. */
function decodePbxFields<F extends Fields>(
  deps: PbxDeps,
  endpoint: string,
  read: FieldsRead,
  reply: FastifyReply,
  schema: BodySchema<F>,
): BodyValue<F> | undefined {
  if ('unreadable' in read) {
    const { status, detail } = read.unreadable;
    const problem = problemOf(read.unreadable);
    deps.events.requestInvalid({ endpoint, field: 'body', problem });
    if (status === 400) reply.header('x-invalid-field', 'body');
    sendText(reply, status, problem === 'media type' ? UNSUPPORTED : detail);
    return undefined;
  }
  const decoded = decodeFields(schema, read.fields);
  if (decoded.ok) return decoded.value;
  deps.events.requestInvalid({ endpoint, field: decoded.field, problem: decoded.problem });
  sendText(reply.header('x-invalid-field', decoded.field), 400, `${decoded.field} ${decoded.problem}.`);
  return undefined;
}

/** What a PBX hears of a call that does not wait here while Redis cannot tell whether it waits elsewhere. */
export const CANCEL_UNDECIDED =
  'No call with this call_id is waiting on this instance, and Redis does not tell of the others: try the next instance.';

/** What a PBX hears that may not ask, and has asked often. */
export const TOO_MANY = 'Refused: too many requests from this address were refused in the last minute.';

/** What a PBX hears of a body in another format. */
export const UNSUPPORTED =
  'Unsupported media type: send application/x-www-form-urlencoded, multipart/form-data or application/json.';

function sendDraining(reply: FastifyReply, outcomeInBody: boolean): FastifyReply {
  return sendText(
    reply.header('x-wake-outcome', 'shutting-down').header('connection', 'close'),
    503,
    pbxBody('shutting-down', outcomeInBody),
  );
}

function methodNotAllowed(reply: FastifyReply): FastifyReply {
  return sendText(reply.header('allow', 'POST'), 405, 'Method not allowed: use POST.');
}

/** Plain text, as PBX scripts read it: no newline behind it. */
export function sendText(reply: FastifyReply, status: number, text: string): FastifyReply {
  return reply.code(status).header('content-type', 'text/plain; charset=utf-8').send(text);
}
