import { createSecretKey, type KeyObject } from 'node:crypto';
import type { Parse, SettingsReader } from './settings-reader.ts';

/** The keys that stored credentials are encrypted with. */
export interface CredentialSettings {
  readonly credentialKeys: {
    /** Encrypts what is stored from now on; undefined: it is stored as it is. */
    readonly current: KeyObject | undefined;
    /** Only decrypt what was stored before. */
    readonly previous: readonly KeyObject[];
  };
}

/** Keys that CREDENTIALS_KEY_PREVIOUS may hold: a rotation needs one. */
const MOST_PREVIOUS = 16;

/** Different bytes of a key; of 32 random bytes 30 are, and fewer than 16 practically never. */
const VARIETY = 16;

/**
 * Never quotes the text: it may be the key with a slip in it. A key that was written by hand is refused, but not as a
 * previous one: what it has encrypted must still be read.
 */
const secretKey: Parse<KeyObject> = (text) => {
  const value = readSecretKey(text);
  return value === undefined || new Set(value.export()).size < VARIETY
    ? { expected: 'must be 32 random bytes as base64 or hex; make one with: openssl rand -base64 32' }
    : { value };
};

const secretKeys: Parse<readonly KeyObject[]> = (text) => {
  const parts = text.split(/[\s,]+/).filter((part) => part !== '');
  if (parts.length === 0 || parts.length > MOST_PREVIOUS) {
    return { expected: `must be 1 to ${MOST_PREVIOUS} keys, separated by commas` };
  }
  const keys: KeyObject[] = [];
  for (const [index, part] of parts.entries()) {
    const key = readSecretKey(part);
    if (key === undefined) {
      return {
        expected: `must be keys of 32 bytes as base64 or hex, separated by commas; number ${index + 1} of ${parts.length} is not such a key`,
      };
    }
    keys.push(key);
  }
  return { value: keys };
};

/** Reads `CREDENTIALS_KEY` and `CREDENTIALS_KEY_PREVIOUS`. */
export function readCredentialSettings(reader: SettingsReader): CredentialSettings {
  return {
    credentialKeys: {
      current: reader.readSecret('CREDENTIALS_KEY', secretKey),
      previous: reader.readSecret('CREDENTIALS_KEY_PREVIOUS', secretKeys) ?? [],
    },
  };
}

/** Doubts about the keys, for `settingWarnings`. */
export function credentialWarnings({ credentialKeys }: CredentialSettings): readonly string[] {
  const { current, previous } = credentialKeys;
  if (current !== undefined || previous.length === 0) return [];
  return [
    'CREDENTIALS_KEY_PREVIOUS is set without CREDENTIALS_KEY: credentials that are added from now on are stored unencrypted',
  ];
}

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
