import type { X509Certificate } from 'node:crypto';

/** Apple's extension 1.2.840.113635.100.6.3.6: the topics that a push certificate covers. */
const TOPICS_OID = Buffer.from('2a864886f76364060306', 'hex');
const TAG = { octetString: 0x04, oid: 0x06, utf8String: 0x0c, sequence: 0x30, extensions: 0xa3 } as const;

function inside(elements: readonly DerElement[], tag: number): readonly DerElement[] {
  const element = elements.find((candidate) => candidate.tag === tag);
  return element === undefined ? [] : derElements(element.content);
}

/** Certificate, TBSCertificate, extensions (RFC 5280, 4.1): each the first of its tag within the one before. */
function extensionsOf(certificate: X509Certificate): readonly DerElement[] {
  const fields = inside(inside(derElements(certificate.raw), TAG.sequence), TAG.sequence);
  return inside(inside(fields, TAG.extensions), TAG.sequence);
}

/** The topics in Apple's extension of a push certificate, such as `com.example.app.voip`; none where it has none. */
export function extensionTopics(certificate: X509Certificate): readonly string[] {
  const values = extensionsOf(certificate)
    .map(({ content }) => derElements(content))
    .filter((parts) => parts.some(({ tag, content }) => tag === TAG.oid && TOPICS_OID.equals(content)))
    .flatMap((parts) => inside(inside(parts, TAG.octetString), TAG.sequence));
  return values
    .filter(({ tag }) => tag === TAG.utf8String)
    .map(({ content }) => Buffer.from(content).toString('utf8'));
}

/**
 * The bundle id in the subject of a push certificate: its UID without `.voip`, else what follows the colon in a name
 * like `Apple Push Services: com.example.app`.
 */
export function subjectBundleId(certificate: X509Certificate): string | undefined {
  const lines = certificate.subject.split('\n');
  const uid = lines.find((line) => line.startsWith('UID='))?.slice('UID='.length);
  if (uid !== undefined && uid !== '') return uid.replace(/\.voip$/, '');
  const name = lines.find((line) => line.startsWith('CN='));
  return name === undefined ? undefined : /: ([A-Za-z0-9.-]+)$/.exec(name)?.[1];
}

/** One element of DER, the encoding of certificates (ITU-T X.690). */
interface DerElement {
  readonly tag: number;
  readonly content: Uint8Array;
}

/** Longer lengths do not occur in a certificate. */
const MAX_LENGTH_BYTES = 3;

function lengthAt(bytes: Uint8Array, at: number): { length: number; start: number } | undefined {
  const first = bytes[at];
  if (first === undefined) return undefined;
  if (first < 0x80) return { length: first, start: at + 1 };
  const size = first & 0x7f;
  if (size === 0 || size > MAX_LENGTH_BYTES || at + size >= bytes.length) return undefined;
  const length = bytes.subarray(at + 1, at + 1 + size).reduce((sum, byte) => sum * 256 + byte, 0);
  return { length, start: at + 1 + size };
}

/** The elements that stand side by side in `bytes`; none when `bytes` is no DER. */
function derElements(bytes: Uint8Array): readonly DerElement[] {
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
}
