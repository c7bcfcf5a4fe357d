import { createHash, type KeyObject } from 'node:crypto';
import { asSealedBox, type NamedKey, openBox, type Place, sealBox } from './sealed-box.ts';

/** What came of reading a text that may be encrypted. */
export type Opened =
  /** `keyId` is undefined where the text was not encrypted. */
  | { readonly kind: 'opened'; readonly text: string; readonly keyId: string | undefined }
  | { readonly kind: 'key-missing'; readonly keyId: string; readonly configured: readonly string[] }
  /** The key is there, and this is not what it encrypted for this place. */
  | { readonly kind: 'damaged'; readonly keyId: string };

/** Encrypts and decrypts what is secret in the database. */
export interface CredentialVault {
  /** Id of the key that encrypts; undefined: text is stored as it is. */
  readonly sealsWith: string | undefined;
  /** Ids of all keys that decrypt, the encrypting one first. */
  readonly keyIds: readonly string[];
  /** The text as a column may hold it. */
  seal(text: string, place: Place): string;
  /** What a column holds for that place. Text that no vault wrote counts as not encrypted. */
  open(column: string, place: Place): Opened;
}

/**
 * Name of a key: the first 48 bits of a SHA-256 over a label and the key. Of 256 random bits it gives nothing away, and
 * the label keeps it from being the same as any other hash of the key. Dots, because a log hides long rows of digits.
 */
function keyIdOf(key: KeyObject): string {
  const hash = createHash('sha256').update('vialer-middleware credentials key id\0').update(key.export());
  return hash
    .digest('hex')
    .slice(0, 12)
    .replace(/(.{4})(?=.)/g, '$1.');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    // The error of JSON.parse quotes the text, which may be secret. What is no JSON is no sealed box.
    return undefined;
  }
}

/** Id of the key that a column is encrypted with; undefined where it is not encrypted. */
export function sealedWith(column: string): string | undefined {
  return asSealedBox(parseJson(column))?.keyId;
}

/** A vault with a key that encrypts (and decrypts) and others that only decrypt; without any it stores text as it is. */
export function createCredentialVault(keys: {
  readonly current: KeyObject | undefined;
  readonly previous: readonly KeyObject[];
}): CredentialVault {
  const named = (key: KeyObject): NamedKey => ({ id: keyIdOf(key), key });
  const current = keys.current === undefined ? undefined : named(keys.current);
  const all = new Map<string, NamedKey>();
  for (const key of [...(current === undefined ? [] : [current]), ...keys.previous.map(named)]) {
    all.set(key.id, key);
  }
  const keyIds = [...all.keys()];
  return {
    sealsWith: current?.id,
    keyIds,
    seal: (text, place) => (current === undefined ? text : JSON.stringify(sealBox(current, text, place))),
    open: (column, place) => {
      const box = asSealedBox(parseJson(column));
      if (box === undefined) return { kind: 'opened', text: column, keyId: undefined };
      const { keyId } = box;
      const key = all.get(keyId);
      if (key === undefined) return { kind: 'key-missing', keyId, configured: keyIds };
      const text = openBox(key, box, place);
      return text === undefined ? { kind: 'damaged', keyId } : { kind: 'opened', text, keyId };
    },
  };
}
