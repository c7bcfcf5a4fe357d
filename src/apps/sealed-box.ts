import { createCipheriv, createDecipheriv, type KeyObject, randomBytes } from 'node:crypto';
import { isRecord } from '../lib/is-record.ts';

const FORMAT = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/**
 * Encrypted text as a column holds it: the JSON of this object. Nonce (96 random bits), ciphertext (of the text in
 * UTF-8) and tag (128 bits) are base64. The additional authenticated data is the JSON list of `format`, `keyId` and the
 * names of the place that the text is for, so that a box which was copied to another row cannot be opened there.
 * AES-256-GCM: NIST SP 800-38D; one key may seal 2^32 times with random nonces (section 8.3).
 */
export interface SealedBox {
  readonly format: typeof FORMAT;
  /** Names the key, and tells nothing of it. */
  readonly keyId: string;
  readonly nonce: string;
  readonly ciphertext: string;
  readonly tag: string;
}

const FIELDS = 5;
const KEY_ID = /^[0-9a-f]{4}(\.[0-9a-f]{4}){2}$/;

/** A key and its name. */
export interface NamedKey {
  readonly id: string;
  readonly key: KeyObject;
}

/** Names of the place that a text is for: table, column, and what identifies its row whatever its number is. */
export type Place = readonly string[];

/** The sealed box that a parsed column holds; undefined when it holds something else. */
export function asSealedBox(value: unknown): SealedBox | undefined {
  if (!isRecord(value) || Object.keys(value).length !== FIELDS) return undefined;
  const { format, keyId, nonce, ciphertext, tag } = value;
  if (format !== FORMAT || typeof keyId !== 'string' || !KEY_ID.test(keyId)) return undefined;
  if (typeof nonce !== 'string' || typeof ciphertext !== 'string' || typeof tag !== 'string')
    return undefined;
  return { format, keyId, nonce, ciphertext, tag };
}

function boundTo(keyId: string, place: Place): Buffer {
  return Buffer.from(JSON.stringify([FORMAT, keyId, ...place]));
}

/** The text, encrypted for that place. */
export function sealBox({ id, key }: NamedKey, text: string, place: Place): SealedBox {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(FORMAT, key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(boundTo(id, place));
  const ciphertext = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);
  return {
    format: FORMAT,
    keyId: id,
    nonce: nonce.toString('base64'),
    ciphertext: ciphertext.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/** Undefined for text that is not the one way to write its bytes: Node reads over what is not base64. */
function fromBase64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes : undefined;
}

/** The text in a box that was sealed with this key for this place; undefined when any of it was changed. */
export function openBox({ id, key }: NamedKey, box: SealedBox, place: Place): string | undefined {
  const nonce = fromBase64(box.nonce);
  const ciphertext = fromBase64(box.ciphertext);
  const tag = fromBase64(box.tag);
  if (nonce?.length !== NONCE_BYTES || ciphertext === undefined || tag?.length !== TAG_BYTES)
    return undefined;
  const decipher = createDecipheriv(FORMAT, key, nonce, { authTagLength: TAG_BYTES });
  decipher.setAAD(boundTo(id, place));
  decipher.setAuthTag(tag);
  const start = decipher.update(ciphertext);
  try {
    return Buffer.concat([start, decipher.final()]).toString('utf8');
  } catch {
    // The only thing that `final` can object to here is the tag.
    return undefined;
  }
}
