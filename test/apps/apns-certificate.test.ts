import assert from 'node:assert/strict';
import { X509Certificate } from 'node:crypto';
import { describe, it } from 'node:test';
import { credentialExpiry } from '../../src/apps/credential/credential-expiry.ts';
import { describeCredential } from '../../src/apps/credential/describe-credential.ts';
import { readApnsCertificate } from '../../src/apps/credential/read-apns-certificate.ts';
import { assertRefused, encryptedPem } from './credential-checks.ts';
import { type CertificateContent, makeCertificate } from './make-certificate.ts';

const NOW = Date.UTC(2026, 5, 1);
const NOT_AFTER = new Date(Date.UTC(2027, 0, 31, 12));
const APP = 'com.example.app';
const CONTENT = {
  subject: { cn: `Apple Push Services: ${APP}`, uid: APP },
  notBefore: new Date(Date.UTC(2026, 0, 1)),
  notAfter: NOT_AFTER,
  topics: [APP, `${APP}.voip`, `${APP}.complication`],
};
const GOOD = makeCertificate(CONTENT);
const OTHER = makeCertificate({ ...CONTENT, subject: { cn: 'someone else' } });

describe('an APNs certificate', () => {
  it('is accepted with its key beside it or in the same file, in any order and with remarks', () => {
    const files = [
      { certPem: GOOD.certPem, keyPem: GOOD.keyPem },
      { certPem: `Bag Attributes\n    friendlyName: x\n${GOOD.certPem}${GOOD.keyPem}` },
      { certPem: `${GOOD.keyPem}\r\n${GOOD.certPem.replaceAll('\n', '\r\n')}` },
    ];
    for (const file of files) {
      const reading = readApnsCertificate({ ...file, appId: APP, now: NOW });
      assert.ok(reading.ok);
      const { certPem: certificate, keyPem: privateKey } = GOOD;
      assert.deepEqual(reading.credential, { kind: 'apns-certificate', certificate, privateKey });
      assert.equal(reading.expiresAt, NOT_AFTER.getTime());
      assert.deepEqual(reading.notes, []);
    }
  });

  it('comes first where the file holds others too', () => {
    const reading = readApnsCertificate({
      certPem: OTHER.certPem + GOOD.certPem,
      keyPem: GOOD.keyPem,
      now: NOW,
    });
    assert.ok(reading.ok);
    assert.equal(reading.credential.certificate, GOOD.certPem + OTHER.certPem);
  });

  it('is refused without its own, plain private key', () => {
    const { certPem } = GOOD;
    assertRefused(readApnsCertificate({ certPem, now: NOW }), /the certificate file holds no private key/);
    assertRefused(
      readApnsCertificate({ certPem, keyPem: OTHER.keyPem, now: NOW }),
      /does not belong/,
      OTHER.keyPem,
    );
    const keyPem = encryptedPem(GOOD.privateKey);
    assertRefused(
      readApnsCertificate({ certPem, keyPem, now: NOW }),
      /the key file holds a private key that is encrypted/,
    );
    const older =
      '-----BEGIN EC PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\nAA==\n-----END EC PRIVATE KEY-----\n';
    assertRefused(
      readApnsCertificate({ certPem, keyPem: older, now: NOW }),
      /the key file holds a private key that is encrypted/,
    );
  });

  it('is refused where there is none or a damaged one', () => {
    const { certPem, keyPem } = GOOD;
    assertRefused(readApnsCertificate({ certPem: keyPem, now: NOW }), /holds no certificate/, keyPem);
    const damaged = certPem.replace(/\n.{20}/, '\n');
    assertRefused(readApnsCertificate({ certPem: damaged, keyPem, now: NOW }), /is damaged/);
  });

  it('is refused before and after its time, and announced when the time is near', () => {
    const { certPem, keyPem } = GOOD;
    const read = (now: number) => readApnsCertificate({ certPem, keyPem, appId: APP, now });
    assertRefused(read(NOT_AFTER.getTime()), /expired on 2027-01-31/);
    assertRefused(read(CONTENT.notBefore.getTime() - 1), /not valid before 2026-01-01/);
    const last = read(NOT_AFTER.getTime() - 1);
    assert.ok(last.ok);
    assert.deepEqual(last.notes, ['the certificate expires on 2027-01-31']);
  });

  it('is refused for an app that it does not cover, or whose calls it does not', () => {
    const { certPem, keyPem } = GOOD;
    assertRefused(
      readApnsCertificate({ certPem, keyPem, appId: 'com.example.other', now: NOW }),
      /not for com\.example\.other: it covers com\.example\.app, com\.example\.app\.voip/,
    );
    const noCalls = makeCertificate({ ...CONTENT, topics: [APP] });
    assertRefused(
      readApnsCertificate({ ...noCalls, appId: APP, now: NOW }),
      /does not cover com\.example\.app\.voip/,
    );
    const callsAlone = makeCertificate({ ...CONTENT, topics: [`${APP}.voip`] });
    const reading = readApnsCertificate({ ...callsAlone, appId: APP, now: NOW });
    assert.ok(reading.ok);
    assert.deepEqual(reading.notes, []);
  });

  it('tells which app it is for', () => {
    const notes = (content: CertificateContent) => {
      const reading = readApnsCertificate({ ...makeCertificate(content), now: NOW });
      assert.ok(reading.ok);
      return reading.notes;
    };
    const { topics, ...older } = CONTENT;
    assert.deepEqual(notes(CONTENT), [`the certificate covers ${topics.join(', ')}`]);
    assert.deepEqual(notes({ ...older, subject: { cn: 'x', uid: `${APP}.voip` } }), [
      `the certificate is for ${APP}`,
    ]);
    assert.deepEqual(notes({ ...older, subject: { cn: `VoIP Services: ${APP}` } }), [
      `the certificate is for ${APP}`,
    ]);
    assert.deepEqual(notes({ ...older, subject: { cn: 'x' } }), [
      'the certificate does not tell which app it is for',
    ]);
    const reading = readApnsCertificate({ ...makeCertificate(older), appId: 'com.other', now: NOW });
    assert.ok(reading.ok);
    assert.deepEqual(reading.notes, [`the certificate is for ${APP}, not for com.other`]);
  });

  it('is described with its end and its fingerprint, and its end is known to the metrics', () => {
    const reading = readApnsCertificate({ ...GOOD, now: NOW });
    assert.ok(reading.ok);
    const fingerprint = new X509Certificate(GOOD.certPem).fingerprint256.replaceAll(':', '').toLowerCase();
    assert.equal(
      describeCredential(reading.credential),
      `APNs certificate, expires 2027-01-31, sha256 ${fingerprint.slice(0, 12)}`,
    );
    assert.equal(credentialExpiry(reading.credential), NOT_AFTER.getTime());
  });
});
