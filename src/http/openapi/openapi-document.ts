import type { CallOutcome } from '../../calls/call-outcome.ts';
import { appPaths } from './app-paths.ts';
import { BODIES } from './examples.ts';
import { type Paths, plain } from './operation.ts';
import { operatorPaths } from './operator-paths.ts';
import { pbxPaths } from './pbx-paths.ts';
import type { Json } from './responses.ts';
import { SECURITY } from './security.ts';

/** The parts of an OpenAPI 3.1 document that ours has (https://spec.openapis.org/oas/v3.1.1.html#openapi-object). */
export interface OpenApiDocument {
  readonly openapi: '3.1.1';
  readonly info: Json;
  readonly servers: readonly Json[];
  readonly tags: readonly Json[];
  readonly paths: Paths;
  readonly components: {
    readonly schemas: Readonly<Record<string, Json>>;
    readonly securitySchemes: Readonly<Record<string, Json>>;
  };
}

/** What of the running service the document depends on. */
export interface OpenApiOptions {
  /** Version of this service. */
  readonly version: string;
  /** Every value of `X-Wake-Outcome`. */
  readonly outcomes: readonly CallOutcome[];
  /** APP_API_URL; undefined: wherever the document was read. */
  readonly appApiUrl: string | undefined;
  /** PBXs have a listener of their own. */
  readonly hasPbxListener: boolean;
}

/** The description of the whole HTTP API, made of the schemas that decode the bodies. */
export function openApiDocument(options: OpenApiOptions): OpenApiDocument {
  const pbx = pbxPaths(options.outcomes);
  return {
    openapi: '3.1.1',
    info: {
      title: 'vialer-middleware',
      version: options.version,
      description: INFO,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: options.appApiUrl ?? '/' }],
    tags: [
      { name: 'pbx', description: 'Called by PBXs.' },
      { name: 'app', description: 'Called by phone apps.' },
      { name: 'operator', description: 'Called by load balancers and people.' },
    ],
    paths: { ...(options.hasPbxListener ? elsewhere(pbx) : pbx), ...appPaths(), ...operatorPaths() },
    components: {
      schemas: Object.fromEntries(
        Object.values(BODIES).map(({ schema }) => [schema.name, plain(schema.schema)]),
      ),
      securitySchemes: SECURITY,
    },
  };
}

const INFO = [
  'Wakes phones for incoming calls. Paths also match without their last slash and with anything after it.',
  'Bodies are JSON, a form or multipart, at most 64 KiB.',
  'The types below are the canonical ones; their usual spellings as text are accepted too.',
  'Unknown fields and the Accept header are ignored.',
].join(' ');

/** The address of the listener for PBXs is not published: anyone may read the document. */
function elsewhere(paths: Paths): Paths {
  const servers = [
    {
      url: '{pbxAddress}',
      description: 'The listener for PBXs alone (PBX_HOST, PBX_PORT).',
      variables: {
        pbxAddress: {
          default: 'http://localhost',
          description: 'Scheme, address and port; ask the operator.',
        },
      },
    },
  ];
  return Object.fromEntries(Object.entries(paths).map(([path, item]) => [path, { servers, ...item }]));
}
