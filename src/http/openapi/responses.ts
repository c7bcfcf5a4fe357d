import { clientFault } from '../wire/answer-error.ts';

/** A piece of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** A response with a body. */
export interface WithBody {
  readonly description: string;
  readonly headers?: Json;
  /** By media type. */
  readonly content: Readonly<Record<string, Json>>;
}

/** Responses by status. */
export type Responses = Readonly<Record<number, WithBody | { readonly description: string }>>;

/** Makes the response to a fault: `detail` for apps, `words` for PBXs. */
type Fault = (description: string, text: string) => WithBody;

/** The two bytes `""`. */
const EMPTY_STRING = { type: 'string', const: '' };

/** Names the field of a 400. */
export const INVALID_FIELD = header(
  'X-Invalid-Field',
  'The first invalid field, or `body` if the body cannot be read.',
  { type: 'string' },
  'sip_user_id',
);

const RETRY_AFTER = requiredHeader(
  'Retry-After',
  'Seconds.',
  { type: 'integer', minimum: 1, maximum: 60 },
  42,
);

/** A header that a response may have. */
export function header(name: string, description: string, schema: Json, example: unknown): Json {
  return { [name]: { description, schema, example } };
}

/** A header that a response always has. */
export function requiredHeader(name: string, description: string, schema: Json, example: unknown): Json {
  return { [name]: { description, required: true, schema, example } };
}

/** A response with this body. */
function withBody(description: string, type: string, schema: Json, example: unknown): WithBody {
  return { description, content: { [type]: { schema, example } } };
}

/** A JSON response. */
export function json(description: string, schema: Json, example: unknown): WithBody {
  return withBody(description, 'application/json', schema, example);
}

/** The body `""`, which apps need instead of none. */
export function emptyString(description: string): WithBody {
  return json(description, EMPTY_STRING, '');
}

/** A plain text response that is exactly one of these. */
export function words(description: string, first: string, ...others: readonly string[]): WithBody {
  return withBody(description, 'text/plain', { type: 'string', enum: [first, ...others] }, first);
}

/** A plain text response for a person. */
export function sentence(description: string, example: string): WithBody {
  return withBody(description, 'text/plain', { type: 'string' }, example);
}

/** Django REST framework's error body, with exactly one of these texts. */
export function detail(description: string, first: string, ...others: readonly string[]): WithBody {
  return detailOf(description, { type: 'string', enum: [first, ...others] }, first);
}

/** The same body, whose text varies. */
export function anyDetail(description: string, example: string): WithBody {
  return detailOf(description, { type: 'string' }, example);
}

function detailOf(description: string, text: Json, example: string): WithBody {
  const schema = { type: 'object', required: ['detail'], properties: { detail: text } };
  return json(description, schema, { detail: example });
}

/** What a client gets after too many failures from its address within a minute. */
export function throttled(response: WithBody): Responses {
  return { 429: { ...response, headers: RETRY_AFTER } };
}

/** What any method gets that the endpoint does not have; `allowed` are those that it has. */
export function otherMethod(response: WithBody, allowed: readonly string[]): Responses {
  const allow = allowed.join(', ');
  const schema = { type: 'string', const: allow };
  return {
    405: { ...response, headers: requiredHeader('Allow', 'The methods of this endpoint.', schema, allow) },
  };
}

/** What any endpoint answers to a request that is not proper HTTP, apart from 400. */
export function protocolFaults(fault: Fault): Responses {
  return {
    408: fault('The headers took more than 10 s, or the whole request more than 20 s.', clientFault(408)),
    417: fault(
      'The request has an `Expect` header with another value than `100-continue`.',
      clientFault(417),
    ),
    431: fault('The headers are longer than 16 KiB.', clientFault(431)),
  };
}

/** The `X-Wake-Outcome` of the following response. */
export const PIPELINED_OUTCOME = 'overloaded';

/**
 * What any endpoint answers if more than 16 requests of a connection are without an answer; `own` is its own 503. PBXs'
 * endpoints word their 503 themselves.
 */
export function unavailable(own?: WithBody): Responses {
  const pipelined = words('More than 16 requests on this connection have no answer yet.', 'status=NAK');
  const schema = { type: 'string', const: PIPELINED_OUTCOME };
  return {
    503: {
      description:
        own === undefined
          ? pipelined.description
          : `${own.description} Or, as text: ${pipelined.description}`,
      headers: header('X-Wake-Outcome', 'Only in the text answer.', schema, PIPELINED_OUTCOME),
      content: { ...own?.content, ...pipelined.content },
    },
  };
}
