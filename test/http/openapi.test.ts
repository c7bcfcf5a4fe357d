import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Check } from 'typebox/value';
import { BODIES, type Body } from '../../src/http/openapi/examples.ts';
import { type OpenApiOptions, openApiDocument } from '../../src/http/openapi/openapi-document.ts';
import { JsonFields } from '../../src/http/wire/body/raw-fields.ts';
import type { BodySchema, Fields } from '../../src/http/wire/fields/body-schema.ts';
import { decodeFields } from '../../src/http/wire/fields/decode-fields.ts';
import { ALL_ENDPOINTS } from '../../src/http/wire/paths.ts';
import * as schemas from '../../src/http/wire/schemas.ts';

const OUTCOMES = ['ready', 'declined', 'timed-out'] as const;

/** As a client gets it. */
function serve(options: Partial<OpenApiOptions>): unknown {
  return JSON.parse(
    JSON.stringify(
      openApiDocument({
        version: '1.2.3',
        outcomes: OUTCOMES,
        appApiUrl: undefined,
        hasPbxListener: false,
        ...options,
      }),
    ),
  );
}
const served = serve({});

type Node = Readonly<Record<string, unknown>>;

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function at(value: unknown, ...keys: readonly string[]): unknown {
  return keys.reduce(
    (node, key) =>
      Array.isArray(node)
        ? node[Number(key)]
        : isNode(node) && Object.hasOwn(node, key)
          ? node[key]
          : undefined,
    value,
  );
}

function nodeAt(value: unknown, ...keys: readonly string[]): Node {
  const found = at(value, ...keys);
  assert.ok(isNode(found), `no object at ${keys.join(' > ')}`);
  return found;
}

function entriesAt(value: unknown, ...keys: readonly string[]): [string, unknown][] {
  return Object.entries(nodeAt(value, ...keys));
}

function operations(): { readonly name: string; readonly operation: Node }[] {
  return entriesAt(served, 'paths').flatMap(([path, item]) =>
    entriesAt(item).map(([method, operation]) => ({
      name: `${method} ${path}`,
      operation: nodeAt(operation),
    })),
  );
}

it('every endpoint is described with exactly its methods', () => {
  const described = operations().map(({ name }) => name);
  const expected = ALL_ENDPOINTS.flatMap(({ path, methods }) =>
    methods.map((method) => `${method.toLowerCase()} ${path}`),
  );
  assert.deepEqual(described.toSorted(), expected.toSorted());
});

/** Every value with its key, at any depth. */
function* valuesOf(value: unknown): Generator<readonly [string, unknown]> {
  if (Array.isArray(value)) for (const one of value) yield* valuesOf(one);
  if (!isNode(value)) return;
  for (const [key, inner] of Object.entries(value)) {
    yield [key, inner];
    yield* valuesOf(inner);
  }
}

it('every type, place, description and name in the document is one that readers know', () => {
  const types = [
    'string',
    'number',
    'integer',
    'boolean',
    'object',
    'array',
    'null',
    'http',
    'apiKey',
    'mutualTLS',
  ];
  for (const [key, value] of valuesOf(served)) {
    if (key === 'type' && !isNode(value))
      for (const type of [value].flat()) assert.ok(types.includes(String(type)), `type: ${type}`);
    if (key === 'enum') assert.ok(Array.isArray(value) && value.length > 0, 'an empty enum');
    if (key === 'in') assert.ok(['query', 'header', 'path'].includes(String(value)), `in: ${value}`);
    if ((key === 'description' || key === 'name' || key === 'summary') && typeof value === 'string')
      assert.match(value, /^\S+(?: \S+)*$/, key);
  }
});

it('the document has the shape of OpenAPI 3.1', () => {
  assert.match(String(at(served, 'openapi')), /^3\.1\.\d+$/);
  assert.equal(at(served, 'info', 'title'), 'vialer-middleware');
  assert.equal(at(served, 'info', 'version'), '1.2.3');
  const tags = JSON.stringify(at(served, 'tags'));
  for (const { name, operation } of operations()) {
    assert.equal(typeof operation['summary'], 'string', name);
    assert.ok(
      Array.isArray(operation['tags']) && operation['tags'].every((tag) => tags.includes(`"${tag}"`)),
      name,
    );
    const security = operation['security'];
    assert.ok(Array.isArray(security), name);
    for (const scheme of security.flatMap((alternative) => Object.keys(alternative))) {
      nodeAt(served, 'components', 'securitySchemes', scheme);
    }
    checkResponses(name, operation);
  }
});

function checkResponses(name: string, operation: Node): void {
  const responses = entriesAt(operation, 'responses');
  assert.ok(responses.length > 0, name);
  for (const [status, response] of responses) {
    assert.match(status, /^[1-5]\d\d$/, name);
    assert.equal(typeof at(response, 'description'), 'string', `${name} ${status}`);
    if (at(response, 'content') !== undefined) {
      for (const [, media] of entriesAt(response, 'content')) nodeAt(media, 'schema');
    }
    if (at(response, 'headers') !== undefined) {
      for (const [, header] of entriesAt(response, 'headers')) nodeAt(header, 'schema');
    }
  }
}

it('each operation has an id of its own, for generated clients', () => {
  const ids = operations().map(({ operation }) => operation['operationId']);
  assert.deepEqual(ids.toSorted(), [...OPERATION_IDS].toSorted());
});

/** Method names in other people's code: none of them may change. */
const OPERATION_IDS = [
  'incomingCall',
  'callCancelled',
  'callResponse',
  'registerApnsDevice',
  'unregisterApnsDevice',
  'registerGcmDevice',
  'unregisterGcmDevice',
  'registerAndroidDevice',
  'unregisterAndroidDevice',
  'hangupReason',
  'logMetrics',
  'checkIn',
  'isAlive',
  'isReady',
  'openApi',
];

it('the server is APP_API_URL, else where the document was read; PBXs with a listener of their own have another', () => {
  const pbxServer = (document: unknown) =>
    at(document, 'paths', '/api/incoming-call/', 'servers', '0', 'url');
  assert.deepEqual(at(served, 'servers'), [{ url: '/' }]);
  assert.equal(pbxServer(served), undefined);
  const other = serve({ appApiUrl: 'https://push.example.org', hasPbxListener: true });
  assert.deepEqual(at(other, 'servers'), [{ url: 'https://push.example.org' }]);
  assert.equal(pbxServer(other), '{pbxAddress}');
  assert.equal(at(other, 'paths', '/api/call-response/', 'servers'), undefined);
});

it('the example of each body is taken as it is', () => {
  assert.deepEqual(
    Object.values(BODIES)
      .map(({ schema }) => schema.name)
      .toSorted(),
    ALL_BODIES.map(({ name }) => name).toSorted(),
  );
  const bodies: readonly Body[] = Object.values(BODIES);
  for (const { schema, example } of bodies) {
    const decoded = decodeFields(schema, new JsonFields(example));
    assert.ok(decoded.ok, schema.name);
    for (const [name, value] of Object.entries(example)) {
      if (Object.hasOwn(decoded.value, name)) assert.equal(at(decoded.value, name), value, name);
      assert.ok(at(schema.schema.properties, name), `${schema.name} has no ${name}`);
    }
  }
});

it('every reference leads somewhere and every schema is used', () => {
  const text = JSON.stringify(served);
  const used = new Set(
    Array.from(text.matchAll(/"\$ref":"#\/components\/schemas\/(\w+)"/g), (match) => match[1]),
  );
  const defined = entriesAt(served, 'components', 'schemas').map(([name]) => name);
  assert.deepEqual([...used].toSorted(), defined.toSorted());
  assert.equal(text.match(/"\$ref"/g)?.length, text.match(/"\$ref":"#\/components\/schemas\//g)?.length);
});

it('bodies may be JSON, a form or multipart', () => {
  for (const { name, operation } of operations().filter(({ name }) => !name.startsWith('get '))) {
    const types = entriesAt(operation, 'requestBody', 'content').map(([type]) => type);
    assert.deepEqual(
      types,
      ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data'],
      name,
    );
  }
});

it('the PBX is told the outcome, the words and who may ask', () => {
  const post = nodeAt(served, 'paths', '/api/incoming-call/', 'post');
  for (const status of ['200', '503']) {
    assert.deepEqual(at(post, 'responses', status, 'headers', 'X-Wake-Outcome', 'schema', 'enum'), OUTCOMES);
  }
  assert.deepEqual(at(post, 'responses', '200', 'content', 'text/plain', 'schema', 'enum'), [
    'status=ACK',
    'status=NAK',
    ...OUTCOMES.map((outcome) => `status=${outcome === 'ready' ? 'ACK' : 'NAK'}&outcome=${outcome}`),
  ]);
  assert.deepEqual(at(post, 'responses', '503', 'content', 'text/plain', 'schema', 'enum'), [
    'status=NAK',
    'status=NAK&outcome=shutting-down',
  ]);
  assert.deepEqual(post['security'], [{ pbxToken: [] }, {}]);
  assert.deepEqual(at(served, 'paths', '/api/call-response/', 'post', 'security'), []);
  assert.deepEqual(at(served, 'paths', '/api/apns-device/', 'delete', 'security'), [{ accountAuth: [] }, {}]);
});

it('a call response is never answered with 401, which would log the user out', () => {
  const statuses = entriesAt(served, 'paths', '/api/call-response/', 'post', 'responses').map(
    ([status]) => status,
  );
  assert.ok(statuses.includes('202') && !statuses.includes('401'));
});

it('a removal may put its fields in the query', () => {
  const parameters = at(served, 'paths', '/api/android-device/', 'delete', 'parameters');
  assert.ok(Array.isArray(parameters));
  assert.deepEqual(
    parameters.map((parameter) => [at(parameter, 'in'), at(parameter, 'name')]),
    [
      ['query', 'sip_user_id'],
      ['query', 'token'],
      ['query', 'app'],
    ],
  );
});

const ALL_BODIES: readonly BodySchema<Fields>[] = Object.values(schemas);

/** Values on either side of the bounds that the schemas speak of, all in their canonical type. */
const canonical: Readonly<Record<string, fc.Arbitrary<unknown>>> = {
  sip_user_id: fc.constantFrom(
    100_000_000,
    123_456_789,
    999_999_999,
    99_999_999,
    1_000_000_000,
    123456789.5,
    null,
    true,
  ),
  // What is no text, or no boolean, is taken, too, and not promised: test/http/fields-callers.test.ts.
  phonenumber: fc.constantFrom('1', '1'.repeat(32), '1'.repeat(33), '<unknown>', ''),
  caller_id: fc.constantFrom('x', 'x'.repeat(256), ''),
  call_id: fc.constantFrom('x', 'x'.repeat(255), 'x'.repeat(256), '😀'.repeat(256)),
  outcome_in_body: fc.constantFrom(true, false),
  token: fc.constantFrom('t', 't'.repeat(250), 't'.repeat(251), '', null, []),
  message_start_time: fc.constantFrom(0, 1574950000.1234567, -1, null, 'x'),
  available: fc.constantFrom(true, false, null, 'x'),
  sandbox: fc.constantFrom(true, false, null, 'x'),
  push_profile: fc.constantFrom('once', ''),
  remote_notification_token: fc.constantFrom('ff', ''),
  reason: fc.constantFrom('', 'r', 'r'.repeat(256)),
  hangup_reason: fc.constantFrom('', 'r'),
};
const text = fc.constantFrom(
  'x',
  'x'.repeat(255),
  '😀'.repeat(255),
  'x'.repeat(256),
  '😀'.repeat(256),
  '',
  null,
  true,
);

it('what the schemas promise to take is taken, and what they refuse is refused', () => {
  for (const body of ALL_BODIES) {
    const names = Object.keys(nodeAt(served, 'components', 'schemas', body.name, 'properties'));
    const sent = fc.record(Object.fromEntries(names.map((name) => [name, canonical[name] ?? text])), {
      requiredKeys: [],
    });
    const schema = nodeAt(served, 'components', 'schemas', body.name);
    fc.assert(
      fc.property(sent, (value) => {
        const fields = { ...value };
        if (body.name === 'HangupReason' && Object.hasOwn(fields, 'reason')) delete fields['hangup_reason'];
        assert.equal(
          decodeFields(body, new JsonFields(fields)).ok,
          Check(schema, fields),
          JSON.stringify(fields),
        );
      }),
      { numRuns: 500 },
    );
  }
});

it('what a body decodes to fits its schema again', () => {
  const sent = {
    sip_user_id: ' +0123456789.0 ',
    phonenumber: 31612345678,
    caller_id: ' x ',
    call_id: 12.5,
    reason: 7,
  };
  const more = {
    unique_key: 'k',
    message_start_time: '1e3',
    available: 'NO',
    token: ' t ',
    app: 1,
    sandbox: 'T',
  };
  for (const body of ALL_BODIES) {
    const decoded = decodeFields(body, new JsonFields({ ...sent, ...more }));
    assert.ok(decoded.ok, body.name);
    const present = Object.entries(decoded.value).filter(
      ([, value]) => value !== null && value !== undefined,
    );
    assert.ok(Check(body.schema, Object.fromEntries(present)), body.name);
  }
});
