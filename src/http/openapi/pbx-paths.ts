import type { CallOutcome } from '../../calls/call-outcome.ts';
import { CANCEL_UNDECIDED, TOO_MANY, UNSUPPORTED } from '../routes/pbx-routes.ts';
import { clientFault } from '../wire/answer-error.ts';
import { pbxBody } from '../wire/outcome-replies.ts';
import { ENDPOINTS } from '../wire/paths.ts';
import { BODIES } from './examples.ts';
import { operation, type Paths } from './operation.ts';
import {
  header,
  INVALID_FIELD,
  type Json,
  otherMethod,
  PIPELINED_OUTCOME,
  protocolFaults,
  type Responses,
  requiredHeader,
  sentence,
  throttled,
  words,
} from './responses.ts';
import { PBX_SECURITY } from './security.ts';

/** The endpoints of PBXs: plain text. */
export function pbxPaths(outcomes: readonly CallOutcome[]): Paths {
  return {
    [ENDPOINTS.incomingCall.path]: {
      post: operation({
        tag: 'pbx',
        id: 'incomingCall',
        summary: 'Wake the phone of an account and wait for its answer',
        body: BODIES.incomingCall,
        security: PBX_SECURITY,
        parameters: [WAKE_TRACE],
        responses: { ...callAnswers(outcomes), ...REFUSALS },
      }),
    },
    [ENDPOINTS.callCancelled.path]: {
      post: operation({
        tag: 'pbx',
        id: 'callCancelled',
        summary: 'End the wait of a call that is no longer wanted',
        body: BODIES.callCancelled,
        security: PBX_SECURITY,
        responses: {
          200: words('The call was waiting and has ended.', 'status=CANCELLED'),
          ...REFUSALS,
          404: words('No call with this call_id is waiting.', 'No call with this call_id is waiting.'),
          503: {
            ...words(
              'Redis cannot say whether the call waits at another instance. `status=NAK`: the database is unreachable, or more than 16 requests on this connection have no answer yet.',
              CANCEL_UNDECIDED,
              'status=NAK',
            ),
            headers: wakeOutcome([PIPELINED_OUTCOME]),
          },
        },
      }),
    },
  };
}

const REFUSALS: Responses = {
  400: {
    ...sentence('The request is invalid; the sentence names the field.', 'sip_user_id is required.'),
    headers: INVALID_FIELD,
  },
  403: sentence(
    'This PBX may not ask (PBX_ALLOW, PBX_CLIENT_CA_FILE, PBX_TOKEN).',
    'Refused: "Authorization: Bearer ..." with the PBX_TOKEN of this service is needed.',
  ),
  ...otherMethod(words('Any other method.', 'Method not allowed: use POST.'), ENDPOINTS.incomingCall.methods),
  413: words('The body is longer than 64 KiB.', clientFault(413)),
  415: words('The body is neither JSON nor a form.', UNSUPPORTED),
  ...throttled(words('As 403, after too many refused requests from this address.', TOO_MANY)),
  ...protocolFaults(words),
};

function callAnswers(outcomes: readonly CallOutcome[]): Responses {
  return {
    200: {
      ...words(
        'ACK: the phone is ready for the call. NAK: it is not, and will not be.',
        'status=ACK',
        'status=NAK',
        ...outcomes.map((outcome) => pbxBody(outcome, true)),
      ),
      headers: {
        ...requiredHeader('X-Wake-Outcome', OUTCOME, { type: 'string', enum: outcomes }, 'ready'),
        ...TRACE,
      },
    },
    503: {
      ...words(
        'The service is stopping, or more than 16 requests on this connection have no answer yet.',
        'status=NAK',
        pbxBody('shutting-down', true),
      ),
      headers: wakeOutcome(outcomes),
    },
  };
}

const OUTCOME = 'How the call ended: see docs/outcomes.md.';

function wakeOutcome(outcomes: readonly string[]): Json {
  return header('X-Wake-Outcome', OUTCOME, { type: 'string', enum: outcomes }, PIPELINED_OUTCOME);
}

const WAKE_TRACE = {
  name: 'X-Wake-Trace',
  in: 'header',
  description:
    'With any value, the answer reports how long each step took, and why the call ended as it did.',
  schema: { type: 'string' },
  example: '1',
};

const TRACE = {
  ...header(
    'Server-Timing',
    'Only with X-Wake-Trace. Milliseconds from the request to the acceptance of the first push (`push`) and to the answer of the app (`answer`).',
    { type: 'string' },
    'push;dur=41.8, answer;dur=803.2',
  ),
  ...header(
    'X-Wake-Reason',
    'Only with X-Wake-Trace. The reason of the outcome.',
    { type: 'string', maxLength: 200 },
    'BadDeviceToken',
  ),
};
