import { generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { der, oid, sequence, utcTime } from './der.ts';

const DAY_MS = 86_400_000;

/** A certificate and its private key, PEM. */
export interface TestCertificate {
  readonly cert: string;
  readonly key: string;
}

/** An own certification authority for one test file. */
export interface TestAuthority {
  readonly ca: string;
  /** For `127.0.0.1` and `localhost`. */
  readonly server: TestCertificate;
  /** For a client that calls itself `push-client`. */
  readonly client: TestCertificate;
}

interface KeyPair {
  readonly publicKey: KeyObject;
  readonly privateKey: KeyObject;
}

const newKeys = (): KeyPair => generateKeyPairSync('ec', { namedCurve: 'P-256' });

const commonName = (name: string): Buffer =>
  sequence(der(0x31, sequence(oid('2.5.4.3'), der(0x0c, Buffer.from(name)))));

const extension = (id: string, value: Uint8Array): Buffer => sequence(oid(id), der(0x04, value));

const CA_EXTENSIONS = [extension('2.5.29.19', sequence(der(0x01, Buffer.of(0xff))))];
const LEAF_EXTENSIONS = [
  extension('2.5.29.17', sequence(der(0x82, Buffer.from('localhost')), der(0x87, Buffer.of(127, 0, 0, 1)))),
];
const ECDSA_SHA256 = sequence(oid('1.2.840.10045.4.3.2'));

/** An X.509 v3 certificate (RFC 5280, 4.1), valid from yesterday until tomorrow. */
const certify = (
  subject: string,
  subjectKey: KeyObject,
  issuer: { readonly name: string; readonly key: KeyObject },
  extensions: readonly Uint8Array[],
): string => {
  const version3 = der(0xa0, der(0x02, Buffer.of(2)));
  const serial = der(0x02, Buffer.of(1), randomBytes(8));
  const validity = sequence(utcTime(new Date(Date.now() - DAY_MS)), utcTime(new Date(Date.now() + DAY_MS)));
  const publicKey = subjectKey.export({ type: 'spki', format: 'der' });
  const signed = sequence(
    version3,
    serial,
    ECDSA_SHA256,
    commonName(issuer.name),
    validity,
    commonName(subject),
    publicKey,
    der(0xa3, sequence(...extensions)),
  );
  const signature = der(0x03, Buffer.of(0), sign('sha256', signed, issuer.key));
  const certificate = sequence(signed, ECDSA_SHA256, signature).toString('base64');
  return `-----BEGIN CERTIFICATE-----\n${certificate.match(/.{1,64}/g)?.join('\n')}\n-----END CERTIFICATE-----\n`;
};

/** Makes an authority that nobody trusts yet. */
export const createAuthority = (): TestAuthority => {
  const keys = newKeys();
  const issuer = { name: `Test authority ${randomBytes(4).toString('hex')}`, key: keys.privateKey };
  const issue = (name: string): TestCertificate => {
    const own = newKeys();
    return {
      cert: certify(name, own.publicKey, issuer, LEAF_EXTENSIONS),
      key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    };
  };
  return {
    ca: certify(issuer.name, keys.publicKey, issuer, CA_EXTENSIONS),
    server: issue('localhost'),
    client: issue('push-client'),
  };
};

/** Makes this process trust the authority, as NODE_EXTRA_CA_CERTS would. */
export const trust = (authority: TestAuthority): void => {
  setDefaultCACertificates([...getCACertificates('default'), authority.ca]);
};
