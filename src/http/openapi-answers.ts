import { PROOF_PARAMETER } from '../calls/answer-proof.ts';

/** A piece of an OpenAPI document. */
export type Json = Readonly<Record<string, unknown>>;

/** The two bytes `""`. */
export const EMPTY_STRING = { type: 'string', const: '' };

/** Names what is wrong with a body. */
export const INVALID_FIELD = {
  'X-Invalid-Field': {
    description: 'The first field that is wrong, or `body` where the body could not be read.',
    schema: { type: 'string' },
  },
};

/** Asks for the headers below. */
export const WAKE_TRACE = {
  name: 'X-Wake-Trace',
  in: 'header',
  description: 'With any value: the answer tells how long each step took, and why.',
  schema: { type: 'string' },
};

/** What stands in the query of `response_api` where the service has an ANSWER_SECRET. */
export const ANSWER_PROOF = {
  name: PROOF_PARAMETER,
  in: 'query',
  description: 'As pushed, in the query of response_api: an app posts to that address as it is.',
  schema: { type: 'string' },
};

/** What the answer to a traced call tells beside its outcome. */
export const TRACE_HEADERS = {
  'Server-Timing': {
    description:
      'To a request with X-Wake-Trace: milliseconds from the request to the acceptance of the first push (`push`) ' +
      "and to the app's answer (`answer`).",
    schema: { type: 'string' },
  },
  'X-Wake-Reason': {
    description: 'To a request with X-Wake-Trace: the word of whoever ended the call.',
    schema: { type: 'string', maxLength: 200 },
  },
};

/** What every endpoint of the apps answers to a body that it cannot use. */
export const BAD_BODY = {
  400: {
    ...detail('The body makes no sense: `Malformed request.`, or `JSON parse error - ` and where.'),
    headers: INVALID_FIELD,
  },
  413: detail('The body is over 64 KiB.'),
  415: detail('The body is neither JSON nor a form.'),
};

const RETRY_AFTER = {
  'Retry-After': { description: 'Seconds.', schema: { type: 'integer', minimum: 1, maximum: 60 } },
};

/** What a client is told whose address has failed too often in the last minute. */
export const TOO_MANY = {
  429: {
    ...detail('Too many failures came from this address in a minute.', 'Request was throttled.'),
    headers: RETRY_AFTER,
  },
};

/** The same for a PBX that may not ask. */
export const TOO_MANY_REFUSED = {
  429: {
    ...sentence('Too many requests of this address were refused; one that may ask is never told this.'),
    headers: RETRY_AFTER,
  },
};

/** What the endpoints that ask for an account's credential answer without it. */
export const NOT_THEIRS = {
  401: {
    ...detail(
      'No Authorization header, or the platform refused it.',
      'Authentication credentials were not provided.',
      'Incorrect authentication credentials.',
    ),
    headers: { 'WWW-Authenticate': { schema: { type: 'string', const: 'Basic' } } },
  },
  403: detail("The account is not this user's.", 'You do not have permission to perform this action.'),
  ...TOO_MANY,
  503: detail('The platform or the database is away.', 'Service temporarily unavailable, try again later.'),
};

function content(type: string, schema: Json): Json {
  return { content: { [type]: { schema } } };
}

/** A JSON answer. */
export function json(description: string, schema: Json): Json {
  return { description, ...content('application/json', schema) };
}

/** A plain text answer that is one of these, to the letter. */
export function words(...all: readonly string[]): Json {
  return content('text/plain', { type: 'string', enum: all });
}

/** A plain text answer for a person. */
export function sentence(description: string): Json {
  return { description, ...content('text/plain', { type: 'string' }) };
}

/** Django REST framework's error body; with `texts`, one of these. */
export function detail(description: string, ...texts: readonly string[]): Json {
  const text = texts.length === 0 ? { type: 'string' } : { type: 'string', enum: texts };
  return json(description, { type: 'object', required: ['detail'], properties: { detail: text } });
}

/** The answer of /readyz. */
export function readiness(...statuses: readonly string[]): Json {
  const reasons = { type: 'array', items: { type: 'string' } };
  return {
    type: 'object',
    required: ['status', 'reasons'],
    properties: { status: { enum: statuses }, reasons },
  };
}
