import type { BodySource, RawFields } from './raw-fields.ts';

/** What became of a body. None of the texts quotes the body. */
export type BodyResult =
  | { readonly kind: 'fields'; readonly fields: RawFields; readonly source: BodySource }
  /** `mediaType` is the Content-Type header as sent, at most 200 characters; empty where there was none. */
  | { readonly kind: 'unsupported-media-type'; readonly mediaType: string }
  /** `detail` is a whole sentence that starts with `JSON parse error - `, for the answer's `detail`. */
  | { readonly kind: 'bad-json'; readonly detail: string }
  /** Well-formed JSON that is no object, a broken multipart body, or too many fields. */
  | { readonly kind: 'malformed' };

/** The one `malformed`. */
export const MALFORMED: BodyResult = { kind: 'malformed' };

/** The fields as a result. */
export function fieldsResult(fields: RawFields): BodyResult {
  return { kind: 'fields', fields, source: fields.source };
}
