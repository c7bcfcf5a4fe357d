import { isUtf8 } from 'node:buffer';
import { type BodyResult, fieldsResult, MALFORMED } from './body-result.ts';
import { JsonFields } from './raw-fields.ts';

const PREFIX = 'JSON parse error - ';
const POSITION = / at position (\d+)/;

/**
 * What becomes of JSON that a strict parser refuses. `strict`: it is refused. `lenient`: a wrong byte becomes U+FFFD, as in a
 * form, a byte order mark is left out, and a control character becomes a blank, as scripts send that join JSON by hand.
 */
export type TextEncoding = 'strict' | 'lenient';

/** Whole numbers beyond 2^53 have at least 16 digits. */
const LONG_NUMBER = /\d{16}/;

/** What RFC 8259, 7 allows in a string only as an escape. */
const CONTROLS = /[^ -\uffff]/g;

/**
 * Reads a JSON object: UTF-8 whatever the charset parameter says (RFC 8259, 8.1), and the last of a repeated name counts.
 * A whole number beyond 2^53 comes back as the text that was sent, so that no two become one. Nesting of any depth is harmless: the parser of V8 does not recurse.
 */
export function readJson(raw: Buffer, encoding: TextEncoding): BodyResult {
  if (encoding === 'strict' && !isUtf8(raw))
    return { kind: 'bad-json', detail: `${PREFIX}the body is not valid UTF-8.` };
  const text = raw.toString('utf8');
  try {
    return read(text);
  } catch (error) {
    return (
      (encoding === 'lenient' ? readMended(text) : undefined) ?? {
        kind: 'bad-json',
        detail: PREFIX + describe(text, error),
      }
    );
  }
}

/** The same text without what a lenient reader overlooks; undefined where it is no JSON even so. */
function readMended(text: string): BodyResult | undefined {
  try {
    return read(text.replace(/^\ufeff/, '').replace(CONTROLS, ' '));
  } catch {
    return undefined;
  }
}

/** Throws where the text is no JSON. */
function read(text: string): BodyResult {
  const value: unknown = JSON.parse(text);
  if (!isObject(value)) return MALFORMED;
  const exact: unknown = LONG_NUMBER.test(text) ? JSON.parse(text, keepDigits) : value;
  return fieldsResult(new JsonFields(isObject(exact) ? exact : value));
}

function isInexact(value: unknown): boolean {
  return typeof value === 'number' && Math.abs(value) > Number.MAX_SAFE_INTEGER;
}

/** A reviver, which hears the text of each number (https://tc39.es/proposal-json-parse-with-source/). */
function keepDigits(...[, value, context]: readonly unknown[]): unknown {
  if (!isInexact(value) || !isObject(context)) return value;
  const { source } = context;
  return typeof source === 'string' && /^-?\d+$/.test(source) ? source : value;
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
