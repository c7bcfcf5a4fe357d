import type { KeyObject, X509Certificate } from 'node:crypto';
import { readCertificates } from '../../lib/read-certificates.ts';
import { extensionTopics, subjectBundleId } from './certificate-topics.ts';
import { type CredentialReading, refused } from './credential-reading.ts';
import { privateKeyPem, readCredentialKey } from './read-credential-key.ts';

const DAY_MS = 24 * 60 * 60 * 1000;
/** Apple's certificates live for a year; a new one takes a person with an Apple account. */
const SOON_MS = 30 * DAY_MS;
const FILE = 'the certificate file';
/** What OpenSSL writes holds the key alone, so that it must not take the place of the certificate's file. */
const DECRYPT =
  'decrypt it into a file of its own with "openssl pkey -in FILE -out KEY", and give that with --apns-cert-key';

function dayOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function validityProblem(certificate: X509Certificate, now: number): string | undefined {
  const { validFromDate, validToDate } = certificate;
  if (validToDate.getTime() <= now) return `the certificate expired on ${dayOf(validToDate)}`;
  if (validFromDate.getTime() > now) return `the certificate is not valid before ${dayOf(validFromDate)}`;
  return undefined;
}

interface Coverage {
  readonly problem?: string;
  readonly notes: readonly string[];
}

/** Whether calls of `appId` can be pushed with it; only Apple's extension is proof enough to refuse it. */
function coverageOf(certificate: X509Certificate, appId: string | undefined): Coverage {
  const topics = extensionTopics(certificate);
  const bundleId = subjectBundleId(certificate);
  if (topics.length === 0) {
    if (bundleId === undefined) return { notes: ['the certificate does not tell which app it is for'] };
    const other = appId !== undefined && appId !== bundleId ? `, not for ${appId}` : '';
    return { notes: [`the certificate is for ${bundleId}${other}`] };
  }
  if (appId === undefined) return { notes: [`the certificate covers ${topics.join(', ')}`] };
  if (!topics.includes(appId) && !topics.includes(`${appId}.voip`)) {
    return { problem: `the certificate is not for ${appId}: it covers ${topics.join(', ')}`, notes: [] };
  }
  if (topics.includes(`${appId}.voip`)) return { notes: [] };
  return { problem: `the certificate does not cover ${appId}.voip, so it cannot push calls`, notes: [] };
}

function expiryNotes(certificate: X509Certificate, now: number): readonly string[] {
  const { validToDate } = certificate;
  return validToDate.getTime() - now < SOON_MS ? [`the certificate expires on ${dayOf(validToDate)}`] : [];
}

function pemOf(key: KeyObject, leaf: X509Certificate, all: readonly X509Certificate[]) {
  return {
    // The leaf comes first, which TLS asks of a chain (RFC 8446, 4.4.2).
    certificate: [leaf, ...all.filter((one) => one !== leaf)].map(String).join(''),
    privateKey: privateKeyPem(key),
  };
}

/**
 * Checks an APNs certificate with its private key, both PEM and possibly in one file, at `now` (epoch ms). With `appId`
 * it must also cover that app, as far as the certificate tells.
 */
export function readApnsCertificate(input: {
  readonly certPem: string;
  readonly keyPem?: string;
  readonly appId?: string;
  readonly now: number;
}): CredentialReading<'apns-certificate'> {
  const { certPem, keyPem, appId, now } = input;
  const certificates = readCertificates(certPem);
  if (!certificates.ok) return refused(`${FILE} ${certificates.problem}`);
  const reading =
    keyPem === undefined
      ? readCredentialKey(certPem, FILE, DECRYPT)
      : readCredentialKey(keyPem, 'the key file');
  if (!reading.ok) return keyPem === undefined ? reading : { ...reading, ofKeyFile: true };
  const leaf = certificates.all.find((certificate) => certificate.checkPrivateKey(reading.key));
  if (leaf === undefined) return refused('the private key does not belong to the certificate');
  const { problem: uncovered, notes } = coverageOf(leaf, appId);
  const problem = validityProblem(leaf, now) ?? uncovered;
  if (problem !== undefined) return refused(problem);
  return {
    ok: true,
    credential: { kind: 'apns-certificate', ...pemOf(reading.key, leaf, certificates.all) },
    expiresAt: leaf.validToDate.getTime(),
    notes: [...notes, ...expiryNotes(leaf, now)],
  };
}
