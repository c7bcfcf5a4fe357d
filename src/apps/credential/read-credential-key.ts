import type { KeyObject } from 'node:crypto';
import { readPrivateKey } from '../../lib/read-private-key.ts';
import { type CredentialRefused, refused } from './credential-reading.ts';

const DECRYPT = 'decrypt it first with "openssl pkey -in FILE -out NEW"';

/**
 * The first private key of a PEM text; `file` is what a problem calls that text, such as "the key file", and `decrypt` what
 * to do if the key is encrypted.
 */
export function readCredentialKey(
  text: string,
  file: string,
  decrypt = DECRYPT,
): { readonly ok: true; readonly key: KeyObject } | CredentialRefused {
  const reading = readPrivateKey(text);
  if (reading.ok) return reading;
  return refused(`${file} ${reading.problem}${reading.why === 'encrypted' ? `: ${decrypt}` : ''}`);
}

/** A private key as unencrypted PKCS #8 PEM, the one form in which credentials keep it. */
export function privateKeyPem(key: KeyObject): string {
  return key.export({ type: 'pkcs8', format: 'pem' }).toString();
}
