/**
 * What Python's `str.strip()` takes away: the characters of `str.isspace()`. Unlike JavaScript's `trim()` it takes
 * U+001C to U+001F and U+0085, and leaves U+FEFF.
 */
const PYTHON_SPACE = '\\t-\\r\\x1c-\\x20\\x85\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000';
const LEADING = new RegExp(`^[${PYTHON_SPACE}]+`);
const IS_SPACE = new RegExp(`[${PYTHON_SPACE}]`);

/** Trims as Python's `str.strip()`, in time proportional to the text. */
export function trimPython(text: string): string {
  if (isPlain(text.charCodeAt(0)) && isPlain(text.charCodeAt(text.length - 1))) return text;
  const start = LEADING.exec(text)?.[0].length ?? 0;
  let end = text.length;
  while (end > start && IS_SPACE.test(text.charAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

/** True where the text has more than `limit` code points, which is how Python counts. */
export function isLongerThan(text: string, limit: number): boolean {
  if (text.length <= limit) return false;
  if (text.length > limit * 2) return true;
  let count = 0;
  for (const _ of text) count += 1;
  return count > limit;
}

/** A printable ASCII character that is no space. */
function isPlain(code: number): boolean {
  return code > 0x20 && code < 0x7f;
}
