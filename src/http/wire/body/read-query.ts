import { type BodyResult, fieldsResult } from './body-result.ts';
import { NO_FIELDS } from './raw-fields.ts';
import { readForm } from './read-form.ts';

/** Reads the query string of a request target as a form: the iOS phone library's DELETE sends its fields there. */
export function readQuery(url: string): BodyResult {
  const start = url.indexOf('?');
  return start === -1 ? fieldsResult(NO_FIELDS) : readForm(url.slice(start + 1));
}
