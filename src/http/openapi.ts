import type { CallOutcome } from '../calls/call-outcome.ts';
import type { BodySchema, Fields } from './fields/body-schema.ts';
import {
  ANSWER_PROOF,
  BAD_BODY,
  detail,
  EMPTY_STRING,
  INVALID_FIELD,
  type Json,
  json,
  NOT_THEIRS,
  readiness,
  sentence,
  TOO_MANY,
  TOO_MANY_REFUSED,
  TRACE_HEADERS,
  WAKE_TRACE,
  words,
} from './openapi-answers.ts';
import { ACCOUNT_SECURITY, PBX_SECURITY, SECURITY } from './openapi-security.ts';
import { pbxBody } from './outcome-replies.ts';
import { ENDPOINTS } from './paths.ts';
import { CANCEL_UNDECIDED } from './pbx-routes.ts';
import {
  CallCancelled,
  CallResponse,
  CheckIn,
  DeviceRegistrationBody,
  DeviceRemovalBody,
  HangupReason,
  IncomingCall,
  LogMetrics,
} from './schemas.ts';

type Body = BodySchema<Fields>;
type Paths = OpenApiDocument['paths'];

/** The parts of an OpenAPI 3.1 document that ours has (https://spec.openapis.org/oas/v3.1.1.html#openapi-object). */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Json;
  readonly tags: readonly Json[];
  readonly paths: Readonly<Record<string, Readonly<Record<string, Json>>>>;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly securitySchemes: Readonly<Record<string, Json>>;
  };
}

/** The description of the whole HTTP API, made of the schemas that decode the bodies. */
export function openApiDocument(options: {
  /** Version of this service. */
  readonly version: string;
  /** Every value of `X-Wake-Outcome`. */
  readonly outcomes: readonly CallOutcome[];
}): OpenApiDocument {
  return {
    openapi: '3.1.1',
    info: {
      title: 'vialer-middleware',
      version: options.version,
      description: INFO,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    tags: [
      { name: 'pbx', description: 'Called by PBXs.' },
      { name: 'app', description: 'Called by phone apps.' },
      { name: 'operator', description: 'Called by load balancers and people.' },
    ],
    paths: { ...pbxPaths(options.outcomes), ...appPaths(), ...operatorPaths() },
    components: { schemas: Object.fromEntries(BODIES.map(schemaOf)), securitySchemes: SECURITY },
  };
}

const INFO =
  'Wakes phones for incoming calls. Paths also match without their last slash and with anything behind it. ' +
  'Bodies may be JSON, a form or multipart, at most 64 KiB; the types below are the canonical ones, and their ' +
  'usual spellings as text are accepted too. Unknown fields and the Accept header are ignored.';

const BODIES: readonly Body[] = [
  IncomingCall,
  CallCancelled,
  CallResponse,
  DeviceRegistrationBody,
  DeviceRemovalBody,
  HangupReason,
  LogMetrics,
  CheckIn,
];

function pbxPaths(outcomes: readonly CallOutcome[]): Paths {
  const headers = {
    'X-Wake-Outcome': {
      description: 'Why: see docs/outcomes.md.',
      schema: { type: 'string', enum: outcomes },
    },
  };
  const refusals = {
    400: { ...sentence('The body makes no sense; the sentence names the field.'), headers: INVALID_FIELD },
    403: sentence('This PBX may not ask (PBX_ALLOW, PBX_CLIENT_CA_FILE, PBX_TOKEN).'),
    413: sentence('The body is over 64 KiB.'),
    415: sentence('The body is neither JSON nor a form.'),
    ...TOO_MANY_REFUSED,
  };
  const answers = {
    200: {
      description: 'The phone is ready for the call (ACK), or it will not be (NAK).',
      headers: { ...headers, ...TRACE_HEADERS },
      ...words('status=ACK', 'status=NAK', ...outcomes.map((outcome) => pbxBody(outcome, true))),
    },
    ...refusals,
    503: {
      description: 'The service is stopping.',
      headers,
      ...words('status=NAK', pbxBody('shutting-down', true)),
    },
  };
  const summary = 'Wake the phone of an account, wait for its word';
  return {
    [ENDPOINTS.incomingCall.path]: {
      post: {
        ...operation('pbx', summary, IncomingCall, PBX_SECURITY, answers),
        parameters: [WAKE_TRACE],
      },
    },
    [ENDPOINTS.callCancelled.path]: {
      post: operation('pbx', 'End the wait of a call that is not wanted', CallCancelled, PBX_SECURITY, {
        200: { description: 'The call was waiting and has ended.', ...words('status=CANCELLED') },
        ...refusals,
        404: sentence('No call with this call_id is waiting.'),
        503: sentence(CANCEL_UNDECIDED),
      }),
    },
  };
}

function appPaths(): Paths {
  const registered = {
    200: json('Registered in place of an earlier phone, or again.', EMPTY_STRING),
    201: json('Registered; the account had no phone.', EMPTY_STRING),
    404: detail('No such app on this platform.', 'Not found.'),
  };
  const removed = {
    200: json('Will not be woken any more.', EMPTY_STRING),
    404: detail('No phone is registered with exactly these values.', 'Not found.'),
  };
  const device = {
    post: accountOperation('Register the phone of an account', DeviceRegistrationBody, registered),
    delete: {
      ...accountOperation('Unregister the phone of an account', DeviceRemovalBody, removed),
      parameters: queryParameters(DeviceRemovalBody),
    },
  };
  const report = (what: string, body: Body, answers: Json) => ({
    post: accountOperation(what, body, answers),
  });
  return {
    [ENDPOINTS.callResponse.path]: {
      post: {
        ...operation('app', 'Say whether the phone is ready for the call', CallResponse, [], {
          202: json('Taken in time.', EMPTY_STRING),
          404: json(
            'Nobody waits for this key: unknown, too late, or the call is over. With ANSWER_SECRET: not proven.',
            EMPTY_STRING,
          ),
          ...BAD_BODY,
          ...TOO_MANY,
        }),
        parameters: [ANSWER_PROOF],
      },
    },
    [ENDPOINTS.apnsDevice.path]: device,
    [ENDPOINTS.gcmDevice.path]: device,
    [ENDPOINTS.androidDevice.path]: device,
    [ENDPOINTS.hangupReason.path]: report('Tell why a call was not taken', HangupReason, {
      200: { description: 'Noted; no body.' },
      404: detail('The account has no phone.', 'Not found.'),
    }),
    [ENDPOINTS.logMetrics.path]: report('Hand in the figures of a call', LogMetrics, {
      200: { description: 'Counted; no body.' },
    }),
    [ENDPOINTS.checkIn.path]: report('Tell that the app is alive', CheckIn, {
      200: { description: 'Noted; no body.' },
      404: { description: 'The account has no phone; no body.' },
    }),
  };
}

function operatorPaths(): Paths {
  const get = (summary: string, responses: Json) => ({
    get: { tags: ['operator'], summary, security: [], responses },
  });
  return {
    [ENDPOINTS.alive.path]: get('Whether the process is alive', {
      200: json('It is.', { type: 'object', properties: { status: { const: 'alive' } } }),
    }),
    [ENDPOINTS.ready.path]: get('Whether new calls may be sent here', {
      200: json('They may; degraded: not everything works as it should.', readiness('ready', 'degraded')),
      503: json(
        'The database cannot be reached, or Redis where it is required, or the service is stopping.',
        readiness('not ready'),
      ),
    }),
    [ENDPOINTS.openApi.path]: get('This document', { 200: json('OpenAPI 3.1.', { type: 'object' }) }),
  };
}

function accountOperation(summary: string, body: Body, answers: Json): Json {
  return operation('app', summary, body, ACCOUNT_SECURITY, { ...answers, ...BAD_BODY, ...NOT_THEIRS });
}

function operation(
  tag: string,
  summary: string,
  body: Body,
  security: readonly Json[],
  responses: Json,
): Json {
  const schema = { $ref: `#/components/schemas/${body.name}` };
  return {
    tags: [tag],
    summary,
    security,
    requestBody: { content: Object.fromEntries(MEDIA_TYPES.map((type) => [type, { schema }])) },
    responses,
  };
}

const MEDIA_TYPES = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];

/** The fields of a body as query parameters: a DELETE without a body may send them there. */
function queryParameters(body: Body): readonly Json[] {
  return body.entries.map(([name, field]) => ({
    name,
    in: 'query',
    description: 'Read where the request has no body.',
    schema: plain(field.schema),
  }));
}

function schemaOf(body: Body): [string, Json] {
  return [body.name, plain(body.schema)];
}

/** A copy without TypeBox's own marks, which are no part of JSON. */
function plain(schema: object): Json {
  return JSON.parse(JSON.stringify(schema));
}
