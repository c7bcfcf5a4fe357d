import { accept, type Decoded, type Decoder, refuse } from './decoded.ts';
import { isLongerThan, trimPython } from './python-text.ts';

const NOT_TEXT = refuse('must be text');
const TOO_LARGE = refuse('is a number too large to be kept exactly; send it as text');
const NUL = refuse('must not contain a NUL character');

/**
 * Text, trimmed as Python trims; numbers become text (Django REST framework 3.6.4, `CharField`). NUL is refused, as
 * databases refuse it; half a surrogate pair becomes U+FFFD, as invalid UTF-8 does in a form.
 */
export function decodeText(value: unknown): Decoded<string> {
  switch (typeof value) {
    case 'string':
      return cleanText(value);
    case 'number':
      return numberText(value);
    default:
      return NOT_TEXT;
  }
}

/** Text that is not blank, of at most `maxLength` code points. */
export function charDecoder(maxLength: number): Decoder<string> {
  const tooLong = refuse(`must be no longer than ${maxLength} characters`);
  const blank = refuse('must not be blank');
  return (value) => {
    const text = decodeText(value);
    if (!text.ok) return text;
    if (text.value === '') return blank;
    return isLongerThan(text.value, maxLength) ? tooLong : text;
  };
}

/** What was sent without its NUL characters, where nothing may be refused. */
export function withoutNul(value: unknown): unknown {
  return typeof value === 'string' && value.includes('\0') ? value.replaceAll('\0', '') : value;
}

function cleanText(value: string): Decoded<string> {
  const text = trimPython(value);
  if (text.includes('\0')) return NUL;
  return accept(text.isWellFormed() ? text : text.toWellFormed());
}

/** Beyond 2^53 two different numbers would become one text, and two calls one call. */
function numberText(value: number): Decoded<string> {
  if (Math.abs(value) > Number.MAX_SAFE_INTEGER) return TOO_LARGE;
  return accept(String(value));
}
