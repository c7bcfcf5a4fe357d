import { MAX_CREDENTIAL_TEXT } from './credential-reading.ts';

/** One block of a PEM file (RFC 7468), its label such as `CERTIFICATE` apart. */
export interface PemBlock {
  readonly label: string;
  /** The whole block with its first and last line, and a line end. */
  readonly text: string;
}

const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----[^-]*(?:-(?!----)[^-]*)*-----END \1-----/g;

/** The blocks of a PEM text in its order; what stands between them, such as OpenSSL's remarks, is left out. */
export const pemBlocks = (text: string): readonly PemBlock[] => {
  if (text.length > MAX_CREDENTIAL_TEXT) return [];
  return Array.from(text.replaceAll('\r\n', '\n').matchAll(BLOCK), ([block, label = '']) => ({
    label,
    text: `${block}\n`,
  }));
};
