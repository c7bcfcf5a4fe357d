import { X509Certificate } from 'node:crypto';
import { insteadOfPem } from './instead-of-pem.ts';
import { damageOf, pemBlocks } from './pem-blocks.ts';

/** At least one certificate, or what is wrong; `problem` continues a sentence that starts with the file's name. */
export type CertificatesReading =
  | {
      readonly ok: true;
      readonly first: X509Certificate;
      readonly all: readonly X509Certificate[];
      /** Their PEM text in the same order, without anything else. */
      readonly pem: string;
    }
  | { readonly ok: false; readonly problem: string };

/** The certificates of a PEM text in its order. */
export function readCertificates(text: string): CertificatesReading {
  const blocks = pemBlocks(text).filter(({ label }) => /^(?:X509 |TRUSTED )?CERTIFICATE$/.test(label));
  const all: X509Certificate[] = [];
  for (const block of blocks) {
    try {
      all.push(new X509Certificate(block.text));
    } catch {
      // OpenSSL's error says nothing more.
      const place = blocks.length === 1 ? '' : ` (number ${all.length + 1} of ${blocks.length})`;
      return { ok: false, problem: `holds a certificate that is damaged${place}${damageOf(block)}` };
    }
  }
  const [first] = all;
  if (first !== undefined) return { ok: true, first, all, pem: blocks.map((block) => block.text).join('') };
  const instead = insteadOfPem(text, 'certificate');
  return { ok: false, problem: `holds no certificate in PEM form ("-----BEGIN CERTIFICATE-----")${instead}` };
}
