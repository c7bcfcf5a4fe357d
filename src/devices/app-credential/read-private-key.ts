import { createPrivateKey, type KeyObject } from 'node:crypto';
import { type CredentialRefused, refused } from './credential-reading.ts';
import { type PemBlock, pemBlocks } from './pem-blocks.ts';

const isEncrypted = ({ label, text }: PemBlock): boolean =>
  // PKCS #8 says it in the label, OpenSSL's older form in a header line (RFC 1421).
  label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED');

const parse = (block: PemBlock): KeyObject | undefined => {
  try {
    return createPrivateKey(block.text);
  } catch {
    // OpenSSL's error says nothing that the caller's sentence does not.
    return undefined;
  }
};

/** The first private key of a PEM text; `file` is what a problem calls that text, such as "the key file". */
export const readPrivateKey = (
  text: string,
  file: string,
): { readonly ok: true; readonly key: KeyObject } | CredentialRefused => {
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    return refused(`${file} holds no private key in PEM form ("-----BEGIN PRIVATE KEY-----")`);
  }
  if (isEncrypted(block)) {
    return refused(
      `the private key in ${file} is encrypted: decrypt it first with "openssl pkey -in FILE -out NEW"`,
    );
  }
  const key = parse(block);
  return key === undefined ? refused(`the private key in ${file} is damaged`) : { ok: true, key };
};

/** A private key as unencrypted PKCS #8 PEM, the one form in which credentials keep it. */
export const privateKeyPem = (key: KeyObject): string =>
  key.export({ type: 'pkcs8', format: 'pem' }).toString();
