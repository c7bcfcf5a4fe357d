import { isUtf8 } from 'node:buffer';
import { type BodyResult, fieldsResult, MALFORMED } from './body-result.ts';
import { JsonFields } from './raw-fields.ts';

const PREFIX = 'JSON parse error - ';
const POSITION = / at position (\d+)/;

/** What becomes of JSON text that is not UTF-8: refused, or every wrong byte becomes U+FFFD, as in a form. */
export type TextEncoding = 'strict' | 'lenient';

/**
 * Reads a JSON object: UTF-8 whatever the charset parameter says (RFC 8259, 8.1), no byte order mark, and the last of
 * a repeated name counts. Nesting of any depth is harmless: the parser of V8 does not recurse.
 */
export function readJson(raw: Buffer, encoding: TextEncoding): BodyResult {
  if (encoding === 'strict' && !isUtf8(raw))
    return { kind: 'bad-json', detail: `${PREFIX}the body is not valid UTF-8.` };
  const text = raw.toString('utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { kind: 'bad-json', detail: PREFIX + describe(text, error) };
  }
  return isObject(value) ? fieldsResult(new JsonFields(value)) : MALFORMED;
}

/** V8's own message quotes the body, which may hold a push token or a number: only its position is passed on. */
function describe(text: string, error: unknown): string {
  if (text.charCodeAt(0) === 0xfeff) return 'the body starts with a byte order mark.';
  const position = error instanceof Error ? POSITION.exec(error.message)?.[1] : undefined;
  if (position === undefined) return 'the body is not valid JSON.';
  return `the body is not valid JSON at position ${position}.`;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
