/** One block of a PEM text (RFC 7468), its label such as `CERTIFICATE` apart. */
export interface PemBlock {
  readonly label: string;
  /** The block as OpenSSL reads it, in lines of 64 characters. */
  readonly text: string;
}

/** The first or last line of a block with hyphens that a word processor has changed, or of another number. */
const FRAME =
  /(?:[-\u2010-\u2015\u2212]+ ?|(?<=[-\u2010-\u2015\u2212]))(BEGIN|END) ([A-Z0-9 ]{1,40}?) ?[-\u2010-\u2015\u2212]+/g;
const BLOCK = /-----BEGIN ([A-Z0-9 ]{1,40})-----([^-]*(?:-(?!----)[^-]*)*)-----END \1-----/g;
/** OpenSSL's older form of an encrypted key (RFC 1421) begins with these, whatever separates them. */
const HEADERS = /^\s*Proc-Type:\s*4,ENCRYPTED\s+DEK-Info:\s*([\w-]+,[0-9A-F]+)\s+/i;
/** Line ends that a shell, JSON or a `.env` file has left as the characters that stand for them. */
const ESCAPED_LINE_END = /\\+[rn]/g;

/** UTF-16 that was read as UTF-8: a NUL beside each ASCII character. */
const UTF16 = /^\uFFFD{0,2}(?:(?:[\t-~]\0){4}|(?:\0[\t-~]){4})/;
/** Base64 of `-----BEGIN ` or of a JSON object. */
const WRAPPED = /^(?:LS0tLS1CRUdJTi|ey|ew)[A-Za-z0-9+/]*={0,2}$/;

/** The ASCII text of a file that was read as UTF-8, also where it is UTF-16 or has a byte order mark. */
export function withoutByteOrder(text: string): string {
  return UTF16.test(text) ? text.replace(/[\0\uFFFD]/g, '') : text.replace(/^\uFEFF/, '');
}

/** A PEM or JSON text, also where base64 has been put around it. */
export function plainText(text: string): string {
  const plain = withoutByteOrder(text);
  const joined = plain.replace(/\s+/g, '');
  return WRAPPED.test(joined) ? Buffer.from(joined, 'base64').toString('utf8') : plain;
}

/**
 * The blocks of a PEM text in its order; remarks between them are left out. The body of a block is base64, so that line
 * ends of any kind, or none, have one meaning.
 */
export function pemBlocks(text: string): readonly PemBlock[] {
  const framed = plainText(text).replace(FRAME, '-----$1 $2-----');
  return Array.from(framed.matchAll(BLOCK), ([, label = '', body = '']) => ({
    label,
    text: `-----BEGIN ${label}-----\n${linesOf(body.replace(ESCAPED_LINE_END, '\n'))}-----END ${label}-----\n`,
  }));
}

function linesOf(body: string): string {
  const cipher = HEADERS.exec(body)?.[1];
  const headers = cipher === undefined ? '' : `Proc-Type: 4,ENCRYPTED\nDEK-Info: ${cipher}\n\n`;
  const base64 = body.replace(HEADERS, '').replace(/\s+/g, '');
  return headers + base64.replace(/.{1,64}/g, '$&\n');
}

/** Why a block cannot be read, as far as its bytes show; continues a sentence, or is empty. */
export function damageOf({ text }: PemBlock): string {
  const base64 = text.replace(/-----.*-----|\n/g, '');
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64)) return ': it contains characters that are not base64';
  const bytes = Buffer.from(base64, 'base64');
  return bytes.length < derLength(bytes) ? ': part of it is missing' : '';
}

/** Bytes that the header of a DER element (ITU-T X.690, 8.1.3) announces, itself included. */
function derLength(bytes: Buffer): number {
  const first = bytes[1] ?? 0;
  const size = first & 0x7f;
  if (first < 0x80 || size === 0 || size > 4 || bytes.length < 2 + size) return 2 + (first & 0x7f);
  return 2 + size + bytes.readUIntBE(2, size);
}
