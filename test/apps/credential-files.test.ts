import assert from 'node:assert/strict';
import { generateKeyPairSync } from 'node:crypto';
import { describe, it } from 'node:test';
import { readApnsCertificate } from '../../src/apps/credential/read-apns-certificate.ts';
import { readApnsKey } from '../../src/apps/credential/read-apns-key.ts';
import { readFcmServiceAccount } from '../../src/apps/credential/read-fcm-service-account.ts';
import { assertRefused, encryptedPem, pkcs8 } from './credential-checks.ts';
import { makeCertificate } from './make-certificate.ts';

const IDS = { keyId: 'ABC123DEFG', teamId: 'TEAM567890' };
const EC = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const RSA = generateKeyPairSync('rsa', { modulusLength: 2048 });
const NOW = Date.UTC(2026, 5, 1);
const CERTIFICATE = makeCertificate({
  subject: { cn: 'Apple Push Services: com.example.app', uid: 'com.example.app' },
  notBefore: new Date(Date.UTC(2026, 0, 1)),
  notAfter: new Date(Date.UTC(2027, 0, 31)),
  topics: ['com.example.app', 'com.example.app.voip'],
});
const APP = { appId: 'com.example.app', now: NOW };

function base64(text: string) {
  return Buffer.from(text).toString('base64');
}
/** As `readFile(path, 'utf8')` gives it. */
function asUtf8(bytes: Buffer) {
  return bytes.toString('utf8');
}
function utf16(text: string) {
  return Buffer.from(text, 'utf16le');
}
/** The head of a .p12 file, as openssl writes it. */
const PKCS12 = Buffer.from('30820a7302010330820a2906092a864886f70d0107', 'hex');

/** What people's tools make of the line ends, encoding and surroundings of a PEM file. */
const VARIANTS: readonly (readonly [string, (pem: string) => string])[] = [
  ['CRLF', (pem) => pem.replaceAll('\n', '\r\n')],
  ['CR', (pem) => pem.replaceAll('\n', '\r')],
  ['\\n', (pem) => pem.replaceAll('\n', '\\n')],
  ['\\r\\n', (pem) => pem.replaceAll('\n', '\\r\\n')],
  ['\\\\n', (pem) => pem.replaceAll('\n', '\\\\n')],
  ['\\n and line ends', (pem) => pem.replaceAll('\n', '\\n\n')],
  ['blanks', (pem) => pem.replaceAll('\n', ' ')],
  ['none', (pem) => pem.replaceAll('\n', '')],
  ['indented', (pem) => pem.replace(/^/gm, '    ')],
  ['blank lines', (pem) => pem.replaceAll('\n', '\n\n')],
  ['quoted', (pem) => `"${pem.replaceAll('\n', '\\n')}"\n`],
  ['byte order mark', (pem) => `\uFEFF${pem}`],
  ['UTF-16', (pem) => asUtf8(Buffer.concat([Buffer.from([0xff, 0xfe]), utf16(pem)]))],
  ['UTF-16 without its mark', (pem) => asUtf8(utf16(pem))],
  ['UTF-16, high byte first', (pem) => asUtf8(utf16(`\uFEFF${pem}`).swap16())],
  ['base64', base64],
  ['dashes of a word processor', (pem) => pem.replaceAll('-----', '—–')],
  ['four hyphens', (pem) => pem.replaceAll('-----', '----')],
  ['base64 in lines', (pem) => `${base64(pem).replace(/.{76}/g, '$&\n')}\n`],
];

describe('what has one meaning is repaired', () => {
  it('in an APNs key', () => {
    for (const [name, change] of VARIANTS) {
      const reading = readApnsKey({ text: change(pkcs8(EC.privateKey)), ...IDS });
      assert.ok(reading.ok, `${name}: ${reading.ok ? '' : reading.problem}`);
      assert.equal(reading.credential.privateKey, pkcs8(EC.privateKey), name);
    }
  });

  it('in an APNs certificate with its key in one file', () => {
    for (const [name, change] of VARIANTS) {
      const certPem = change(CERTIFICATE.certPem + CERTIFICATE.keyPem);
      const reading = readApnsCertificate({ certPem, ...APP });
      assert.ok(reading.ok, `${name}: ${reading.ok ? '' : reading.problem}`);
      const { certPem: certificate, keyPem: privateKey } = CERTIFICATE;
      assert.deepEqual(reading.credential, { kind: 'apns-certificate', certificate, privateKey }, name);
    }
  });

  const FILE = {
    type: 'service_account',
    project_id: 'my-project-1',
    private_key_id: '0123456789abcdef',
    private_key: pkcs8(RSA.privateKey),
    client_email: 'push@my-project-1.iam.gserviceaccount.com',
    token_uri: 'https://oauth2.googleapis.com/token',
  };

  it('in a service account and in the key inside it', () => {
    const json = JSON.stringify(FILE, undefined, 2);
    const files = [
      ...VARIANTS.map(
        ([name, change]) =>
          [name, JSON.stringify({ ...FILE, private_key: change(FILE.private_key) })] as const,
      ),
      ['line ends in a text', json.replaceAll('\\n', '\n')],
      ['UTF-16', asUtf8(utf16(json))],
      ['base64', base64(json)],
      ['single quotes around it', `'${json}'\n`],
      ['double quotes around it', `"${json}"`],
      ['its name before it', `GOOGLE_JSON=${json}`],
      ['its name and quotes before it', `export GOOGLE_JSON='${JSON.stringify(FILE)}'`],
      ['JSON in a text', JSON.stringify(json)],
      ['base64 of one line', base64(JSON.stringify(FILE))],
    ] as const;
    for (const [name, file] of files) {
      const reading = readFcmServiceAccount(file);
      assert.ok(reading.ok, `${name}: ${reading.ok ? '' : reading.problem}`);
      assert.equal(reading.credential.privateKey, FILE.private_key, name);
    }
  });
});

describe('what is something else is named', () => {
  it('in place of an APNs key', () => {
    const pem = pkcs8(EC.privateKey);
    const der = EC.privateKey.export({ type: 'pkcs8', format: 'der' });
    const cases = [
      [encryptedPem(EC.privateKey), /is encrypted: decrypt it first with "openssl pkey -in FILE -out NEW"/],
      [asUtf8(der), /it is DER, .*"openssl pkey -inform DER/],
      [der.toString('base64'), /it is base64 alone: put "-----BEGIN PRIVATE KEY-----" on a line before it/],
      [asUtf8(PKCS12), /it is a PKCS #12 file .*openssl pkcs12/],
      [PKCS12.toString('base64').padEnd(400, 'A'), /it is base64 of a PKCS #12 file: decode it/],
      [CERTIFICATE.certPem, /it holds a certificate without its private key/],
      [EC.publicKey.export({ type: 'spki', format: 'pem' }).toString(), /it holds a public key/],
      [
        '-----BEGIN CERTIFICATE REQUEST-----\nAA==\n-----END CERTIFICATE REQUEST-----',
        /a certificate request/,
      ],
      [pem.replace(/-----END.*/, ''), /the line "-----END …" is missing/],
      [pem.replace(/-----BEGIN.*\n/, ''), /the line "-----BEGIN …" is missing/],
      [pem.replace('-----END PRIVATE', '-----END EC PRIVATE'), /does not match the line "-----BEGIN …"/],
      [pem.replaceAll('PRIVATE KEY', 'OPENSSH PRIVATE KEY'), /the format of OpenSSH; .*ssh-keygen -p -m PEM/],
      ['PuTTY-User-Key-File-3: x', /it is a key of PuTTY/],
      [pem.replace(/.{20}\n-----END/, '\n-----END'), /is damaged: part of it is missing/],
      [pem.replace(/\n.{2}/, '\n??'), /is damaged: it contains characters that are not base64/],
      ['{"type":"service_account"}', /it is JSON/],
      ['<!DOCTYPE html><title>Sign in</title>', /it is HTML/],
      [' \n', /it is empty/],
    ] as const;
    for (const [text, problem] of cases) assertRefused(readApnsKey({ text, ...IDS }), problem, text);
  });

  it('in place of an APNs certificate', () => {
    const { certPem, keyPem } = CERTIFICATE;
    const der = Buffer.from(certPem.replace(/-----.*-----|\n/g, ''), 'base64');
    const cases = [
      [asUtf8(der), /it is DER, .*"openssl x509 -inform DER/],
      [der.toString('base64'), /it is base64 alone: put "-----BEGIN CERTIFICATE-----"/],
      [asUtf8(PKCS12), /it is a PKCS #12 file/],
      [keyPem, /it holds a private key without its certificate/],
    ] as const;
    for (const [text, problem] of cases)
      assertRefused(readApnsCertificate({ certPem: text, ...APP }), problem, text);
  });

  it('a damaged service account, with the place of the damage', () => {
    const json = JSON.stringify(
      { type: 'service_account', private_key: pkcs8(RSA.privateKey) },
      undefined,
      2,
    );
    const cases = [
      [
        json.replace('\n}', ',\n}'),
        /is not valid JSON at line 4, column 1: there is a comma too many before it$/,
      ],
      [json.replaceAll('"', "'"), /is not valid JSON at line 2, column 3: JSON has double quotes/],
      [json.replaceAll(/"(\w+)"/g, '“$1”'), /is not valid JSON at line 2, column 3: it has curly quotes/],
      [
        json.replace('"service_account"', "'service_account'"),
        /at line 2, column 11: JSON has double quotes/,
      ],
      [json.replace('",', '"'), /at line 3, column 3: Expected ',' or '}'/],
      [json.slice(0, 400), /is cut off: its end is missing$/],
      [`[${json}]`, /is not a JSON object but a list: give the object in it/],
      [`AAAAabcdefg:APA91b${'x'.repeat(120)}`, /it is an old server key .*make a service-account key/],
      [`AIza${'x'.repeat(35)}`, /an API key/],
      ['hunter2', /is not a JSON object$/],
    ] as const;
    for (const [text, problem] of cases) assertRefused(readFcmServiceAccount(text), problem, text);
  });

  it('a PEM key or nothing in place of a service account', () => {
    assertRefused(readFcmServiceAccount(pkcs8(RSA.privateKey)), /it is a PEM file; give the whole JSON file/);
    assertRefused(readFcmServiceAccount(''), /is not a JSON object: it is empty/);
  });

  it('an encrypted key beside its certificate: what decrypts it does not cost the certificate', () => {
    const certPem = CERTIFICATE.certPem + encryptedPem(CERTIFICATE.privateKey);
    const advice =
      /is encrypted: decrypt it into a file of its own with "openssl pkey -in FILE -out KEY".*--apns-cert-key$/;
    assertRefused(readApnsCertificate({ certPem, ...APP }), advice, certPem);
    // What the advice leads to.
    assert.ok(readApnsCertificate({ certPem, keyPem: CERTIFICATE.keyPem, ...APP }).ok);
  });
});
