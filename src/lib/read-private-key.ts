import { createPrivateKey, type KeyObject } from 'node:crypto';
import { insteadOfPem } from './instead-of-pem.ts';
import { damageOf, type PemBlock, pemBlocks } from './pem-blocks.ts';

/** A private key, or what is wrong; `problem` continues a sentence that starts with the file's name, and quotes nothing of it. */
export type KeyReading =
  | { readonly ok: true; readonly key: KeyObject; readonly pem: string }
  | { readonly ok: false; readonly why: 'unusable' | 'encrypted' | 'locked'; readonly problem: string };

/** The first private key of a PEM text. `encrypted`: it needs a passphrase; `locked`: it has another one. */
export function readPrivateKey(text: string, passphrase?: string): KeyReading {
  const block = pemBlocks(text).find(({ label }) => label.endsWith('PRIVATE KEY'));
  if (block === undefined) {
    const instead = insteadOfPem(text, 'private key');
    return unusable(`holds no private key in PEM form ("-----BEGIN PRIVATE KEY-----")${instead}`);
  }
  if (block.label === 'OPENSSH PRIVATE KEY') {
    return unusable(
      'holds a private key in the format of OpenSSH; convert a copy of it with "ssh-keygen -p -m PEM -f COPY"',
    );
  }
  const encrypted = isEncrypted(block);
  if (encrypted && passphrase === undefined) {
    return { ok: false, why: 'encrypted', problem: 'holds a private key that is encrypted' };
  }
  try {
    const key = createPrivateKey({ key: block.text, ...(passphrase === undefined ? {} : { passphrase }) });
    return { ok: true, key, pem: block.text };
  } catch {
    // OpenSSL's error says nothing that these sentences do not.
    return encrypted
      ? { ok: false, why: 'locked', problem: 'holds a private key that the passphrase does not open' }
      : unusable(`holds a private key that is damaged${damageOf(block)}`);
  }
}

/** PKCS #8 says it in the label, OpenSSL's older form in a header line (RFC 1421). */
function isEncrypted({ label, text }: PemBlock): boolean {
  return label === 'ENCRYPTED PRIVATE KEY' || text.includes('Proc-Type: 4,ENCRYPTED');
}

function unusable(problem: string): KeyReading {
  return { ok: false, why: 'unusable', problem };
}
