import { pemBlocks } from './pem-blocks.ts';

type Wanted = 'certificate' | 'private key';

const BASE64 = /^M[A-Za-z0-9+/\s]{40,}={0,2}\s*$/;

const CONVERT_PKCS12 =
  'convert it with "openssl pkcs12 -in FILE -out NEW -nodes", with -legacy at the end if that reports an unsupported algorithm';

const ADVICE: Readonly<Record<Wanted, { readonly der: string; readonly label: string }>> = {
  certificate: { der: 'openssl x509 -inform DER -in FILE -out NEW', label: 'CERTIFICATE' },
  'private key': { der: 'openssl pkey -inform DER -in FILE -out NEW', label: 'PRIVATE KEY' },
};

/** What PEM blocks of other kinds are, by the end of their label. */
const OTHERS: readonly (readonly [string, string])[] = [
  ['PRIVATE KEY', 'it holds a private key without its certificate'],
  ['CERTIFICATE REQUEST', 'it holds a certificate request, which no authority has signed'],
  ['CERTIFICATE', 'it holds a certificate without its private key'],
  ['PUBLIC KEY', 'it holds a public key'],
  ['PKCS7', 'it holds PKCS #7: convert it with "openssl pkcs7 -print_certs -in FILE -out NEW"'],
];

const TEXTS: readonly (readonly [RegExp, string])[] = [
  [/^\s*$/, 'it is empty'],
  [/^(?!.*-----BEGIN ).*-----END /s, 'the line "-----BEGIN …" is missing'],
  [/-----BEGIN /, 'the line "-----END …" is missing, or does not match the line "-----BEGIN …"'],
  [/^\s*PuTTY-User-Key-File/, 'it is a key of PuTTY: export it as an OpenSSH key, then convert that'],
  [/^\s*[[{]/, 'it is JSON'],
  [/^\s*</, 'it is HTML or XML, perhaps a page that was saved in its place'],
];

/** What a text is that lacks the wanted PEM block, and how to convert it; continues a sentence, or is empty. */
export function insteadOfPem(text: string, wanted: Wanted): string {
  const labels = pemBlocks(text).map(({ label }) => label);
  const found =
    OTHERS.find(([end]) => labels.some((label) => label.endsWith(end)))?.[1] ??
    binaryKind(text, wanted) ??
    TEXTS.find(([pattern]) => pattern.test(text))?.[1];
  return found === undefined ? '' : `; ${found}`;
}

function binaryKind(text: string, wanted: Wanted): string | undefined {
  const { der, label } = ADVICE[wanted];
  if (isPkcs12(text)) return `it is a PKCS #12 file (.p12, .pfx): ${CONVERT_PKCS12}`;
  if (isDer(text)) return `it is DER, the binary form: convert it with "${der}"`;
  if (!BASE64.test(text)) return undefined;
  return isPkcs12(Buffer.from(text, 'base64').toString('utf8'))
    ? `it is base64 of a PKCS #12 file: decode it with "base64 -d", then ${CONVERT_PKCS12}`
    : `it is base64 alone: put "-----BEGIN ${label}-----" on a line before it and "-----END ${label}-----" on a line after it`;
}

/** DER begins with a sequence, `0`, and its length in 1 to 4 characters: read as UTF-8, bytes above 127 become U+FFFD. */
function headOf(text: string): string {
  return text.startsWith('0') ? text.slice(1, 9) : '';
}

/** Its version, the number 3, comes first (RFC 7292, 4). */
function isPkcs12(text: string): boolean {
  return headOf(text).includes('\x02\x01\x03');
}

function isDer(text: string): boolean {
  return /(?!\s)\p{Cc}|\uFFFD/u.test(headOf(text));
}
