import { ENDPOINTS } from '../wire/paths.ts';
import type { Paths } from './operation.ts';
import {
  anyDetail,
  detail,
  type Json,
  json,
  otherMethod,
  protocolFaults,
  type Responses,
  unavailable,
} from './responses.ts';

/** The endpoints of load balancers and people. */
export function operatorPaths(): Paths {
  const alive = { type: 'object', required: ['status'], properties: { status: { const: 'alive' } } };
  return {
    [ENDPOINTS.alive.path]: get('isAlive', 'Whether the process is alive', {
      200: json('It is.', alive, { status: 'alive' }),
      ...unavailable(),
    }),
    [ENDPOINTS.ready.path]: get('isReady', 'Whether new calls may be sent here', {
      200: json(
        'They may. `degraded`: calls ring, although something does not work.',
        readiness('ready', 'degraded'),
        { status: 'ready', reasons: [] },
      ),
      ...unavailable(
        json('This instance cannot serve calls.', readiness('not ready'), {
          status: 'not ready',
          reasons: ['stopping'],
        }),
      ),
    }),
    [ENDPOINTS.openApi.path]: get('openApi', 'This document', {
      200: json(
        'OpenAPI 3.1.',
        { type: 'object', required: ['openapi'], properties: { openapi: { type: 'string' } } },
        { openapi: '3.1.1' },
      ),
      ...unavailable(),
    }),
  };
}

function get(operationId: string, summary: string, own: Responses): Readonly<Record<string, Json>> {
  const responses = {
    ...own,
    400: detail('The request is not proper HTTP.', 'Malformed request.'),
    ...otherMethod(anyDetail('Any other method.', 'Method "POST" not allowed.'), ['GET', 'HEAD']),
    ...protocolFaults(detail),
  };
  return { get: { operationId, tags: ['operator'], summary, security: [], responses } };
}

function readiness(...statuses: readonly string[]): Json {
  const reasons = { type: 'array', items: { type: 'string' } };
  return {
    type: 'object',
    required: ['status', 'reasons'],
    properties: { status: { enum: statuses }, reasons },
  };
}
