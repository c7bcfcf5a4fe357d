import { type BodyResult, fieldsResult, MALFORMED } from './body-result.ts';
import { FormFields, MAX_FIELDS } from './raw-fields.ts';

/**
 * Reads form-encoded text as browsers do (URL Standard, application/x-www-form-urlencoded parsing): `+` is a space, a
 * percent sign that starts no escape stands for itself, invalid UTF-8 becomes U+FFFD. The last of a repeated name
 * counts.
 */
export function readForm(text: string): BodyResult {
  if (hasTooManyFields(text)) return MALFORMED;
  const texts = new Map<string, string>();
  let start = 0;
  while (start <= text.length) {
    const ampersand = text.indexOf('&', start);
    const end = ampersand === -1 ? text.length : ampersand;
    if (end > start) addPair(texts, text, start, end);
    start = end + 1;
  }
  return fieldsResult(new FormFields(texts));
}

function addPair(texts: Map<string, string>, text: string, start: number, end: number): void {
  const equals = text.indexOf('=', start);
  const nameEnd = equals === -1 || equals > end ? end : equals;
  texts.set(decodePart(text.slice(start, nameEnd)), decodePart(text.slice(nameEnd + 1, end)));
}

function decodePart(part: string): string {
  const spaced = part.includes('+') ? part.replaceAll('+', ' ') : part;
  return spaced.includes('%') ? decodePercent(spaced) : spaced;
}

function decodePercent(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return decodeLeniently(part);
  }
}

/** `part` has an escape that is broken or no UTF-8: the platform's own parser knows what becomes of it. */
function decodeLeniently(part: string): string {
  return new URLSearchParams(`v=${part.replaceAll('&', '%26')}`).get('v') ?? '';
}

function hasTooManyFields(text: string): boolean {
  if (text.length < MAX_FIELDS * 2) return false;
  let count = 1;
  for (let at = text.indexOf('&'); at !== -1; at = text.indexOf('&', at + 1)) {
    count += 1;
    if (count > MAX_FIELDS) return true;
  }
  return false;
}
