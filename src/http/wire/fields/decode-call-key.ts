import { createHash } from 'node:crypto';
import { decodeText, withoutNul } from './decode-char.ts';
import { accept, type Decoded, refuse } from './decoded.ts';
import { isLongerThan } from './python-text.ts';

/** Most characters under which a call is known as they were sent. */
const MAX_CALL_KEY = 255;

/** Hex digits of a digest: as many as an iPhone takes for the key of a call, and 128 bits. */
const DIGEST_DIGITS = 32;

const BLANK = refuse('must not be blank');

/**
 * The name of a call, given by the PBX (`call_id`) or echoed by an app (`unique_key`). One that is longer than 255
 * characters stands for the first 32 hex digits of its SHA-256: the same name, the same call, wherever it is named.
 */
export function decodeCallKey(value: unknown): Decoded<string> {
  const text = decodeText(value);
  if (!text.ok) return text;
  if (text.value === '') return BLANK;
  return isLongerThan(text.value, MAX_CALL_KEY) ? accept(digestOf(text.value)) : text;
}

/** The same from a PBX, whose NUL characters are left out. */
export function decodeCallId(value: unknown): Decoded<string> {
  return decodeCallKey(withoutNul(value));
}

/** The same where a call needs no name: anything that cannot be one is as if it were not sent. */
export function decodeOptionalCallId(value: unknown): Decoded<string | undefined> {
  const key = decodeCallId(value);
  return key.ok ? key : accept(undefined);
}

function digestOf(name: string): string {
  return createHash('sha256').update(name).digest('hex').slice(0, DIGEST_DIGITS);
}
