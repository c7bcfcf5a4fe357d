import { PROOF_PARAMETER } from '../../calls/answer-proof.ts';
import { clientFault } from '../wire/answer-error.ts';
import { ENDPOINTS, type Endpoint } from '../wire/paths.ts';
import { BODIES, type Body } from './examples.ts';
import { operation, type Paths, plain } from './operation.ts';
import {
  anyDetail,
  detail,
  emptyString,
  INVALID_FIELD,
  type Json,
  otherMethod,
  protocolFaults,
  type Responses,
  requiredHeader,
  throttled,
  unavailable,
} from './responses.ts';
import { ACCOUNT_SECURITY } from './security.ts';

/** The endpoints of phone apps: JSON. */
export function appPaths(): Paths {
  return {
    [ENDPOINTS.callResponse.path]: { post: callResponse() },
    [ENDPOINTS.apnsDevice.path]: device(ENDPOINTS.apnsDevice, 'ApnsDevice'),
    [ENDPOINTS.gcmDevice.path]: device(ENDPOINTS.gcmDevice, 'GcmDevice'),
    [ENDPOINTS.androidDevice.path]: device(ENDPOINTS.androidDevice, 'AndroidDevice'),
    [ENDPOINTS.hangupReason.path]: {
      post: accountOperation(ENDPOINTS.hangupReason, {
        id: 'hangupReason',
        summary: 'Report why a call was not taken',
        body: BODIES.hangupReason,
        responses: {
          200: { description: 'Logged; no body.' },
          404: detail('The account has no phone.', 'Not found.'),
        },
      }),
    },
    [ENDPOINTS.logMetrics.path]: {
      post: accountOperation(ENDPOINTS.logMetrics, {
        id: 'logMetrics',
        summary: 'Report the figures of a call',
        body: BODIES.logMetrics,
        responses: { 200: { description: 'Counted; no body.' } },
      }),
    },
    [ENDPOINTS.checkIn.path]: {
      post: accountOperation(ENDPOINTS.checkIn, {
        id: 'checkIn',
        summary: 'Report that the app is alive',
        body: BODIES.checkIn,
        responses: {
          200: { description: 'The account has a phone; no body.' },
          404: { description: 'The account has no phone; no body.' },
        },
      }),
    },
  };
}

function callResponse(): Json {
  return operation({
    tag: 'app',
    id: 'callResponse',
    summary: 'Answer a push: is the phone ready for the call?',
    body: BODIES.callResponse,
    security: [],
    parameters: [ANSWER_PROOF],
    responses: {
      202: emptyString('Taken in time.'),
      404: emptyString(
        'No call waits for this key: it is unknown, too late, or over. With ANSWER_SECRET: it lacks its proof.',
      ),
      ...errors(ENDPOINTS.callResponse),
      ...unavailable(detail('Another instance may wait for this key, and cannot be asked.', TRY_LATER)),
    },
  });
}

function device(endpoint: Endpoint, name: string): Json {
  return {
    post: accountOperation(endpoint, {
      id: `register${name}`,
      summary: 'Register the phone of an account',
      body: BODIES.registration,
      responses: {
        200: emptyString('Registered in place of an earlier phone, or again.'),
        201: emptyString('Registered; the account had no phone.'),
        404: detail('The operator has added no such app for this platform.', 'Not found.'),
      },
    }),
    delete: accountOperation(endpoint, {
      id: `unregister${name}`,
      summary: 'Unregister the phone of an account',
      body: BODIES.removal,
      parameters: queryParameters(BODIES.removal),
      responses: {
        200: emptyString('The phone will not be woken any more.'),
        404: detail('No phone is registered with exactly these values.', 'Not found.'),
      },
    }),
  };
}

const TRY_LATER = 'Service temporarily unavailable, try again later.';

interface AccountOperation {
  readonly id: string;
  readonly summary: string;
  readonly body: Body;
  readonly parameters?: readonly Json[];
  readonly responses: Responses;
}

function accountOperation(endpoint: Endpoint, own: AccountOperation): Json {
  return operation({
    ...own,
    tag: 'app',
    security: ACCOUNT_SECURITY,
    responses: {
      ...own.responses,
      401: {
        ...detail(
          'There is no Authorization header, or the platform refused it.',
          'Authentication credentials were not provided.',
          'Incorrect authentication credentials.',
        ),
        headers: requiredHeader(
          'WWW-Authenticate',
          'How to authenticate.',
          { type: 'string', const: 'Basic' },
          'Basic',
        ),
      },
      403: detail("The account is not this user's.", 'You do not have permission to perform this action.'),
      ...errors(endpoint),
      ...unavailable(detail('The platform or the database is down.', TRY_LATER)),
    },
  });
}

function errors({ methods }: Endpoint): Responses {
  return {
    400: {
      ...anyDetail(
        'The request is invalid: `Malformed request.`, or `JSON parse error - ` and the position.',
        'Malformed request.',
      ),
      headers: INVALID_FIELD,
    },
    ...otherMethod(anyDetail('Any other method.', 'Method "GET" not allowed.'), methods),
    413: detail('The body is longer than 64 KiB.', clientFault(413)),
    415: anyDetail('The body is neither JSON nor a form.', 'Unsupported media type "text/plain" in request.'),
    ...throttled(
      detail('Too many failures came from this address within a minute.', 'Request was throttled.'),
    ),
    ...protocolFaults(detail),
  };
}

/** In the query of `response_api` if the service has an ANSWER_SECRET. */
const ANSWER_PROOF = {
  name: PROOF_PARAMETER,
  in: 'query',
  description:
    'Part of `response_api` if the operator has set ANSWER_SECRET: post to that address unchanged.',
  schema: { type: 'string' },
  example: 'eCoZ8J1XhO8wYb0a5m3VtQ',
};

/** The fields of a body as query parameters, where a DELETE without a body may send them. */
function queryParameters({ schema, example }: Body): readonly Json[] {
  return schema.entries.map(([name, field]) => ({
    name,
    in: 'query',
    description: 'Read if the request has no body.',
    schema: plain(field.schema),
    example: example[name],
  }));
}
