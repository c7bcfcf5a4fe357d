import assert from 'node:assert/strict';
import { Check } from 'typebox/value';
import type { Answered, Asked } from './http-client.ts';

type Json = Readonly<Record<string, unknown>>;

function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A part of the document; fails if the document lacks it. */
function part(value: unknown, ...path: readonly string[]): Json {
  let at = value;
  for (const name of path) {
    assert.ok(isJson(at), path.join(' > '));
    at = at[name];
  }
  assert.ok(isJson(at), path.join(' > '));
  return at;
}

/** Headers that the document must name wherever they are sent. */
const DOCUMENTED_HEADERS = /^(?:x-.*|www-authenticate|server-timing|retry-after|allow)$/;

/** Compares answers with the OpenAPI document, and remembers which of its responses were seen. */
export interface Documented {
  /** `asked.path` is as documented. A method that the document does not have is looked up in those that it has. */
  check(asked: Asked, answer: Answered): void;
  /** Responses that no answer was compared with, e.g. `POST /api/check-in/ 408`. */
  unseen(): string[];
}

/** Reads the document as a client got it. */
export function readDocument(text: string): Documented {
  const document: unknown = JSON.parse(text);
  const unseen = new Set<string>();
  for (const [path, item] of Object.entries(part(document, 'paths')))
    for (const method of Object.keys(part(item)))
      for (const status of Object.keys(part(item, method, 'responses')))
        unseen.add(`${method.toUpperCase()} ${path} ${status}`);

  return {
    check: ({ method = 'POST', path }, answer) => {
      const item = part(document, 'paths', path);
      const methods = Object.hasOwn(item, method.toLowerCase()) ? [method.toLowerCase()] : Object.keys(item);
      for (const each of methods) {
        compare(part(item, each, 'responses', String(answer.status)), answer, `${path} ${answer.status}`);
        unseen.delete(`${each.toUpperCase()} ${path} ${answer.status}`);
      }
    },
    unseen: () => [...unseen],
  };
}

function compare(documented: Json, answer: Answered, what: string): void {
  for (const [header, value] of Object.entries(answer.headers)) {
    if (!DOCUMENTED_HEADERS.test(header)) continue;
    const [, definition] =
      Object.entries(part(documented, 'headers')).find(([name]) => name.toLowerCase() === header) ?? [];
    assert.ok(definition, `${what}: ${header}`);
    const schema = part(definition, 'schema');
    const sent = schema['type'] === 'integer' ? Number(value) : value;
    assert.ok(Check(schema, sent), `${what}: ${header}: ${value}`);
  }
  for (const [header, definition] of Object.entries(documented['headers'] ?? {})) {
    if (part(definition)['required'] !== true) continue;
    assert.ok(answer.headers[header.toLowerCase()] !== undefined, `${what}: no ${header}`);
  }
  const content = documented['content'];
  if (content === undefined) {
    assert.deepEqual([answer.contentType, answer.body], [undefined, ''], what);
    return;
  }
  const type = answer.contentType?.split(';')[0] ?? '';
  const body: unknown = type === 'application/json' ? JSON.parse(answer.body) : answer.body;
  assert.ok(Check(part(content, type, 'schema'), body), `${what}: ${answer.body}`);
}
