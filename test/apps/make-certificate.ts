import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { der } from '../../src/sandbox/der.ts';

const OID = {
  commonName: '2.5.4.3',
  userId: '0.9.2342.19200300.100.1.1',
  ecdsaWithSha256: '1.2.840.10045.4.3.2',
  appleTopics: '1.2.840.113635.100.6.3.6',
} as const;

function nameOf(subject: { readonly cn: string; readonly uid?: string }): Buffer {
  const part = (type: string, text: string) => der.set(der.sequence(der.oid(type), der.utf8(text)));
  const uid = subject.uid === undefined ? [] : [part(OID.userId, subject.uid)];
  return der.sequence(...uid, part(OID.commonName, subject.cn));
}

function topicsExtension(topics: readonly string[]): Buffer {
  const listed = topics.flatMap((topic) => [der.utf8(topic), der.sequence(der.utf8('app'))]);
  const extension = der.sequence(der.oid(OID.appleTopics), der.octets(der.sequence(...listed)));
  return der.explicit(3, der.sequence(extension));
}

/** What a certificate says; valid from `notBefore` to `notAfter`, which must lie before 2050. */
export interface CertificateContent {
  readonly subject: { readonly cn: string; readonly uid?: string };
  readonly notBefore: Date;
  readonly notAfter: Date;
  /** Apple's extension with the topics of a push certificate. */
  readonly topics?: readonly string[];
}

/** A self-signed certificate (RFC 5280) with a new P-256 key, in the shape of Apple's push certificates. */
export function makeCertificate(content: CertificateContent): {
  readonly certPem: string;
  readonly keyPem: string;
  readonly privateKey: KeyObject;
} {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = der.sequence(der.oid(OID.ecdsaWithSha256));
  const name = nameOf(content.subject);
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.of(2))),
    der.integer(Buffer.of(1)),
    algorithm,
    name,
    der.sequence(der.time(content.notBefore), der.time(content.notAfter)),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    ...(content.topics === undefined ? [] : [topicsExtension(content.topics)]),
  );
  const signature = sign('sha256', toBeSigned, privateKey);
  const encoded = der.sequence(toBeSigned, algorithm, der.bits(signature)).toString('base64');
  const lines = encoded.match(/.{1,64}/g) ?? [];
  return {
    certPem: ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n'),
    keyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    privateKey,
  };
}
