import { Busboy, type BusboyInstance } from '@fastify/busboy';
import { type BodyResult, fieldsResult, MALFORMED } from './body-result.ts';
import { FormFields, MAX_FIELDS } from './raw-fields.ts';

/** A complete body is parsed in milliseconds; a parser that is not done by then never will be. */
const MAX_PARSE_MS = 5000;

const LIMITS = {
  fields: MAX_FIELDS,
  parts: MAX_FIELDS,
  fieldSize: 64 * 1024,
  headerPairs: 50,
  headerSize: 8 * 1024,
};

/**
 * Reads a whole multipart/form-data body (RFC 7578). Parts with a file are ignored, the last of a repeated name
 * counts. A missing boundary, a broken or unfinished body and one over the limits are malformed. Never rejects.
 */
export function readMultipart(contentType: string, raw: Buffer): Promise<BodyResult> {
  const parser = createParser(contentType);
  return parser === undefined ? Promise.resolve(MALFORMED) : parse(parser, raw);
}

/** Undefined where the header names no boundary, for which the parser throws. */
function createParser(contentType: string): BusboyInstance | undefined {
  try {
    return new Busboy({ headers: { 'content-type': contentType }, limits: LIMITS });
  } catch {
    return undefined;
  }
}

function parse(parser: BusboyInstance, raw: Buffer): Promise<BodyResult> {
  return new Promise((resolve) => {
    const texts = new Map<string, string>();
    const settle = (result: BodyResult) => {
      clearTimeout(timer);
      resolve(result);
    };
    const giveUp = () => settle(MALFORMED);
    const timer = setTimeout(giveUp, MAX_PARSE_MS);
    parser.on('field', (name: string | undefined, text) => {
      if (name !== undefined) texts.set(name, text);
    });
    parser.on('fieldsLimit', giveUp);
    parser.on('partsLimit', giveUp);
    parser.on('error', giveUp);
    parser.on('finish', () => settle(fieldsResult(new FormFields(texts))));
    parser.end(raw);
  });
}
