import assert from 'node:assert/strict';
import type { Decoded } from '../../src/http/wire/fields/decoded.ts';

/** What was sent is not taken. */
export const REFUSED = 'refused';

/** What became of a field: its value, or REFUSED with words that continue its name. */
export function outcome<T>(decoded: Decoded<T>): T | typeof REFUSED {
  if (decoded.ok) return decoded.value;
  assert.match(decoded.problem, /^(?:must|is) [^.]+$/);
  return REFUSED;
}
