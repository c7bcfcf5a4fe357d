import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { der } from './der.ts';

/** A certificate and the private key that belongs to it, both PEM. */
export interface IssuedCertificate {
  readonly certificate: string;
  readonly privateKey: string;
}

/** A certificate authority whose key is in memory only and is forgotten with the process. */
export interface ThrowAwayCa {
  /** PEM; what a client has to trust, for example by NODE_EXTRA_CA_CERTS. */
  readonly certificate: string;
  /** For `localhost`, `127.0.0.1` and `::1`, or for `host` alone; `notAfter` in the past makes an expired one. */
  issueServer(options?: {
    readonly commonName?: string;
    readonly host?: string;
    readonly notAfter?: Date;
  }): IssuedCertificate;
  /** An APNs client certificate for the app `commonName`; `notAfter` in the past makes an expired one. */
  issueClient(app: { readonly commonName: string; readonly notAfter?: Date }): IssuedCertificate;
}

const HOUR_MS = 3_600_000;
const LIFETIME_MS = 800 * 24 * HOUR_MS;
const ECDSA_SHA256 = der.sequence(der.oid('1.2.840.10045.4.3.2'));
const COMMON_NAME = '2.5.4.3';
const USER_ID = '0.9.2342.19200300.100.1.1';
const SERVER_AUTH = '1.3.6.1.5.5.7.3.1';
const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2';

function name(attributes: Readonly<Record<string, string>>): Buffer {
  return der.sequence(
    ...Object.entries(attributes).map(([id, text]) => der.set(der.sequence(der.oid(id), der.utf8(text)))),
  );
}

function extension(id: string, content: Buffer, critical = false): Buffer {
  return der.sequence(der.oid(id), ...(critical ? [der.true()] : []), der.octets(content));
}

function keyIdentifier(spki: Buffer): Buffer {
  return createHash('sha1').update(spki).digest();
}

function caExtensions(spki: Buffer): Buffer[] {
  return [
    extension('2.5.29.19', der.sequence(der.true()), true),
    extension('2.5.29.15', der.bits(Buffer.of(0b0000_0110), 1), true),
    extension('2.5.29.14', der.octets(keyIdentifier(spki))),
  ];
}

function leafExtensions(caSpki: Buffer, usage: string, names: readonly Buffer[]): Buffer[] {
  return [
    extension('2.5.29.15', der.bits(Buffer.of(0b1000_0000), 7), true),
    extension('2.5.29.37', der.sequence(der.oid(usage))),
    extension('2.5.29.35', der.sequence(der.implicit(0, keyIdentifier(caSpki)))),
    ...(names.length > 0 ? [extension('2.5.29.17', der.sequence(...names))] : []),
  ];
}

function dnsName(host: string): Buffer {
  return der.implicit(2, Buffer.from(host));
}

const LOOPBACK_NAMES = [
  dnsName('localhost'),
  der.implicit(7, Buffer.of(127, 0, 0, 1)),
  der.implicit(7, Buffer.concat([Buffer.alloc(15), Buffer.of(1)])),
];

/** RFC 5280 section 4.1; signed with `signer`, PEM. */
function certify(parts: {
  readonly issuer: Buffer;
  readonly subject: Buffer;
  readonly spki: Buffer;
  readonly notAfter: Date;
  readonly extensions: readonly Buffer[];
  readonly signer: KeyObject;
}): string {
  const notBefore = new Date(Math.min(Date.now(), parts.notAfter.getTime()) - HOUR_MS);
  const serial = randomBytes(16);
  serial[0] = 0x40 | ((serial[0] ?? 0) & 0x3f);
  const toBeSigned = der.sequence(
    der.explicit(0, der.integer(Buffer.of(2))),
    der.integer(serial),
    ECDSA_SHA256,
    parts.issuer,
    der.sequence(der.time(notBefore), der.time(parts.notAfter)),
    parts.subject,
    parts.spki,
    der.explicit(3, der.sequence(...parts.extensions)),
  );
  const signature = der.bits(sign('sha256', toBeSigned, parts.signer));
  const base64 = der.sequence(toBeSigned, ECDSA_SHA256, signature).toString('base64');
  const lines = base64.match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}

function newKey(): { readonly privateKey: KeyObject; readonly spki: Buffer } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  return { privateKey: pair.privateKey, spki: pair.publicKey.export({ format: 'der', type: 'spki' }) };
}

/** Makes a fresh authority (EC P-256) that issues the certificates of the stand-ins and of their clients. */
export function createThrowAwayCa(): ThrowAwayCa {
  const ca = newKey();
  const issuer = name({ [COMMON_NAME]: 'vialer-middleware sandbox CA' });
  const inTime = (): Date => new Date(Date.now() + LIFETIME_MS);
  const issue = (
    subject: Buffer,
    notAfter: Date,
    usage: string,
    names: readonly Buffer[],
  ): IssuedCertificate => {
    const { privateKey, spki } = newKey();
    const extensions = leafExtensions(ca.spki, usage, names);
    return {
      certificate: certify({ issuer, subject, spki, notAfter, extensions, signer: ca.privateKey }),
      privateKey: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(),
    };
  };
  return {
    certificate: certify({
      issuer,
      subject: issuer,
      spki: ca.spki,
      notAfter: inTime(),
      extensions: caExtensions(ca.spki),
      signer: ca.privateKey,
    }),
    issueServer: ({ host, commonName = host ?? 'localhost', notAfter = inTime() } = {}) =>
      issue(
        name({ [COMMON_NAME]: commonName }),
        notAfter,
        SERVER_AUTH,
        host === undefined ? LOOPBACK_NAMES : [dnsName(host)],
      ),
    issueClient: ({ commonName, notAfter }) =>
      issue(
        name({ [USER_ID]: commonName, [COMMON_NAME]: commonName }),
        notAfter ?? inTime(),
        CLIENT_AUTH,
        [],
      ),
  };
}
