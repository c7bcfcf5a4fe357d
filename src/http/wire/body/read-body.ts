import { type BodyResult, fieldsResult } from './body-result.ts';
import { bodyFormat } from './media-type.ts';
import { NO_FIELDS } from './raw-fields.ts';
import { readForm } from './read-form.ts';
import { readJson, type TextEncoding } from './read-json.ts';
import { readMultipart } from './read-multipart.ts';

/** Characters of a Content-Type header that an error may repeat. */
const MAX_ECHO = 200;

/**
 * Reads a whole body (the server bounds its size) by its Content-Type header. No body means no fields whatever the
 * header says. Only a multipart body needs a promise; it never rejects. `encoding` decides on JSON that is not UTF-8.
 */
export function readBody(
  contentType: string | undefined,
  raw: Buffer,
  encoding: TextEncoding = 'strict',
): BodyResult | Promise<BodyResult> {
  if (raw.length === 0) return fieldsResult(NO_FIELDS);
  const header = contentType ?? '';
  const format = bodyFormat(header);
  switch (format) {
    case 'form':
      return readForm(raw.toString('utf8'));
    case 'json':
      return readJson(raw, encoding);
    case 'multipart':
      return readMultipart(header.trim(), raw);
    case 'none':
      return { kind: 'unsupported-media-type', mediaType: header.trim().slice(0, MAX_ECHO) };
    default:
      return format satisfies never;
  }
}
