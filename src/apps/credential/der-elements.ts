/** One element of DER, the encoding of certificates (ITU-T X.690). */
export interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Longer lengths do not occur in a certificate. */
const MAX_LENGTH_BYTES = 3;

const lengthAt = (bytes: Uint8Array, at: number): { length: number; start: number } | undefined => {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { length: first, start: at + 1 };
  const size = first & 0x7f;
  if (size === 0 || size > MAX_LENGTH_BYTES || at + size >= bytes.length) return undefined;
  const length = bytes.subarray(at + 1, at + 1 + size).reduce((sum, byte) => sum * 256 + byte, 0);
  return { length, start: at + 1 + size };
};

/** The elements that stand side by side in `bytes`; none when `bytes` is no DER. */
export const derElements = (bytes: Uint8Array): readonly DerElement[] => {
  const elements: DerElement[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes[at];
    const found = lengthAt(bytes, at + 1);
    if (tag === undefined || found === undefined) return [];
    const end = found.start + found.length;
    if (end > bytes.length) return [];
    elements.push({ tag, content: bytes.subarray(found.start, end) });
    at = end;
  }
  return elements;
};
