import { accept, type Decoded, refuse } from './decoded.ts';
import { trimPython } from './python-text.ts';

/** The smallest account number. */
export const MIN_ACCOUNT = 100_000_000;
/** The largest account number. */
export const MAX_ACCOUNT = 999_999_999;

/** Django REST framework's bound on the text of a number. */
const MAX_TEXT = 1000;
/** What nearly everybody sends. */
const PLAIN = /^[1-9][0-9]{8}$/;
const FRACTION_OF_ZEROS = /\.0*$/;
const INTEGER = /^\+?[0-9]+$/;
const PROBLEM = `must be a whole number from ${MIN_ACCOUNT} to ${MAX_ACCOUNT}`;

/**
 * An account number, 100000000 to 999999999, as a number or as text: leading zeros, a plus sign, spaces around and a
 * fraction of zeros do not matter (Django REST framework 3.6.4, `IntegerField`). Unlike Python's `int()` it takes no
 * underscores and no digits but ASCII's.
 */
export function decodeAccountNumber(value: unknown): Decoded<number> {
  switch (typeof value) {
    case 'number':
      return Number.isInteger(value) ? inRange(value) : refuse(PROBLEM);
    case 'string':
      return decodeText(value);
    default:
      return refuse(PROBLEM);
  }
}

function decodeText(text: string): Decoded<number> {
  if (PLAIN.test(text)) return accept(Number(text));
  if (text.length > MAX_TEXT) return refuse(PROBLEM);
  const digits = trimPython(trimPython(text).replace(FRACTION_OF_ZEROS, ''));
  return INTEGER.test(digits) ? inRange(Number(digits)) : refuse(PROBLEM);
}

function inRange(account: number): Decoded<number> {
  return account >= MIN_ACCOUNT && account <= MAX_ACCOUNT ? accept(account) : refuse(PROBLEM);
}
