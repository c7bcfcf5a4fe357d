import { createSecretKey, type KeyObject } from 'node:crypto';

/** Length of a key of AES-256, bytes. */
const KEY_BYTES = 32;

/** Quotes and line ends of a `.env` file, which Docker hands on as they are. */
const AROUND = /^["']+|(?:["'\s]|\\[rn])+$/g;

/**
 * A key of 32 bytes from its text: 64 hexadecimal digits, or base64 in either alphabet, with or without padding.
 * Undefined for any other text. The bytes are in a `KeyObject`, which no log and no `inspect` shows.
 */
export function readSecretKey(written: string): KeyObject | undefined {
  const text = written.replace(AROUND, '');
  if (/^[0-9a-f]{64}$/i.test(text)) return createSecretKey(Buffer.from(text, 'hex'));
  // 43 digits are 258 bits: the last two are not looked at, because tools disagree over them.
  if (!/^(?:[\w-]{43}|[A-Za-z0-9+/]{43})=?$/.test(text)) return undefined;
  const bytes = Buffer.from(text, 'base64');
  return bytes.length === KEY_BYTES ? createSecretKey(bytes) : undefined;
}
