import { createHash } from 'node:crypto';
import { decodeText } from './decode-char.ts';
import { accept, type Decoded, refuse } from './decoded.ts';
import { isLongerThan, trimPython } from './python-text.ts';

/** Most characters under which a call is known as they were sent. */
export const MAX_CALL_KEY = 255;

/** Hex digits of a digest: as many as an iPhone takes for the key of a call, and 128 bits. */
const DIGEST_DIGITS = 32;

const BLANK = refuse('must not be blank');

/**
 * The name of a call, given by the PBX (`call_id`) or echoed by an app (`unique_key`). One that is longer than 255
 * characters, or has a NUL in it, stands for the first 32 hex digits of its SHA-256: the same name, the same call,
 * wherever it is named.
 */
export function decodeCallKey(value: unknown): Decoded<string> {
  if (typeof value === 'string' && value.includes('\0')) return accept(digestOf(trimPython(value)));
  const text = decodeText(value);
  if (!text.ok) return text;
  if (text.value === '') return BLANK;
  return isLongerThan(text.value, MAX_CALL_KEY) ? accept(digestOf(text.value)) : text;
}

/** The same where a call needs no name: anything that cannot be one is as if it were not sent. */
export function decodeOptionalCallKey(value: unknown): Decoded<string | undefined> {
  const key = decodeCallKey(value);
  return key.ok ? key : accept(undefined);
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, DIGEST_DIGITS);
}
