import { accept, type Decoded, refuse } from './decoded.ts';
import { trimPython } from './python-text.ts';

/** Django REST framework's bound on the text of a number. */
const MAX_TEXT = 1000;
const FLOAT = /^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$/;
const PROBLEM = 'must be a finite number';

/**
 * A finite number, as a number or as text with spaces around and an exponent; true and false are 1 and 0 (Python's
 * `float()`). Unlike Python it takes no infinity, no NaN, no underscores and no digits but ASCII's.
 */
export function decodeFloat(value: unknown): Decoded<number> {
  switch (typeof value) {
    case 'number':
      return finite(value);
    case 'boolean':
      return accept(Number(value));
    case 'string':
      return decodeText(value);
    default:
      return refuse(PROBLEM);
  }
}

function decodeText(text: string): Decoded<number> {
  if (text.length > MAX_TEXT) return refuse(PROBLEM);
  const trimmed = trimPython(text);
  return FLOAT.test(trimmed) ? finite(Number(trimmed)) : refuse(PROBLEM);
}

function finite(value: number): Decoded<number> {
  return Number.isFinite(value) ? accept(value) : refuse(PROBLEM);
}
