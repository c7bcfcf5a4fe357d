import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

const OID = {
  commonName: '550403',
  userId: '0992268993f22c640101',
  ecdsaWithSha256: '2a8648ce3d040302',
  appleTopics: '2a864886f76364060306',
} as const;

const lengthBytes = (length: number): Buffer => {
  if (length < 0x80) return Buffer.from([length]);
  if (length < 0x100) return Buffer.from([0x81, length]);
  return Buffer.from([0x82, length >> 8, length & 0xff]);
};

const der = (tag: number, ...contents: readonly Buffer[]): Buffer => {
  const content = Buffer.concat(contents);
  return Buffer.concat([Buffer.from([tag]), lengthBytes(content.length), content]);
};

const sequence = (...contents: readonly Buffer[]): Buffer => der(0x30, ...contents);
const oid = (hex: string): Buffer => der(0x06, Buffer.from(hex, 'hex'));
const utf8 = (text: string): Buffer => der(0x0c, Buffer.from(text));
const utcTime = (date: Date): Buffer =>
  der(0x17, Buffer.from(`${date.toISOString().slice(2, 19).replaceAll(/[-:T]/g, '')}Z`));
const bitString = (content: Buffer): Buffer => der(0x03, Buffer.from([0]), content);

const nameOf = (subject: { readonly cn: string; readonly uid?: string }): Buffer => {
  const part = (type: string, text: string) => der(0x31, sequence(oid(type), utf8(text)));
  const uid = subject.uid === undefined ? [] : [part(OID.userId, subject.uid)];
  return sequence(...uid, part(OID.commonName, subject.cn));
};

const topicsExtension = (topics: readonly string[]): Buffer => {
  const listed = topics.flatMap((topic) => [utf8(topic), sequence(utf8('app'))]);
  const extension = sequence(oid(OID.appleTopics), der(0x04, sequence(...listed)));
  return der(0xa3, sequence(extension));
};

/** What a certificate says; valid from `notBefore` to `notAfter`, which must lie before 2050. */
export interface CertificateContent {
  readonly subject: { readonly cn: string; readonly uid?: string };
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Apple's extension with the topics of a push certificate. */
  readonly topics?: readonly string[];
}

/** A self-signed certificate (RFC 5280) with a new P-256 key, in the shape of Apple's push certificates. */
export const makeCertificate = (
  content: CertificateContent,
): { readonly certPem: string; readonly keyPem: string; readonly privateKey: KeyObject } => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid(OID.ecdsaWithSha256));
  const name = nameOf(content.subject);
  const toBeSigned = sequence(
    der(0xa0, der(0x02, Buffer.from([2]))),
    der(0x02, Buffer.from([1])),
    algorithm,
    name,
    sequence(utcTime(content.notBefore), utcTime(content.notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(content.topics === undefined ? [] : [topicsExtension(content.topics)]),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const encoded = sequence(toBeSigned, algorithm, bitString(signature)).toString('base64');
  const lines = encoded.match(/.{1,64}/g) ?? [];
  return {
    certPem: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  };
};
