import type { Body } from './examples.ts';
import type { Json, Responses } from './responses.ts';

/** Operations (and `servers`) by path and method. */
export type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/** An operation with a body. */
export interface BodyOperation {
  readonly tag: 'pbx' | 'app';
  /** Name of the method in generated clients; must not change. */
  readonly id: string;
  readonly summary: string;
  readonly body: Body;
  readonly security: readonly Json[];
  readonly parameters?: readonly Json[];
  readonly responses: Responses;
}

const MEDIA_TYPES = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'];

/** An OpenAPI Operation Object. */
export function operation({ tag, id, summary, body, security, parameters, responses }: BodyOperation): Json {
  const media = { schema: { $ref: `#/components/schemas/${body.schema.name}` }, example: body.example };
  return {
    operationId: id,
    tags: [tag],
    summary,
    security,
    ...(parameters === undefined ? {} : { parameters }),
    requestBody: { content: Object.fromEntries(MEDIA_TYPES.map((type) => [type, media])) },
    responses,
  };
}

/** A copy of a schema without TypeBox's own marks, which JSON does not carry. */
export function plain(schema: object): Json {
  return JSON.parse(JSON.stringify(schema));
}
