import { createHash, createPublicKey } from 'node:crypto';
import type { AppCredential } from '../app.ts';
import { credentialExpiry, readableCertificate } from './credential-expiry.ts';

const FINGERPRINT_LENGTH = 12;

function shortHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex').slice(0, FINGERPRINT_LENGTH);
}

/** Of the public key, so that it tells nothing of the private one. */
function keyFingerprint(privateKey: string): string {
  try {
    return shortHash(createPublicKey(privateKey).export({ type: 'spki', format: 'der' }));
  } catch {
    // Shown in place of a fingerprint; whoever uses the key gets the real error.
    return 'unreadable';
  }
}

function certificateFingerprint(pem: string): string {
  const certificate = readableCertificate(pem);
  return certificate === undefined ? 'unreadable' : shortHash(certificate.raw);
}

function expiryText(credential: AppCredential): string {
  const expiry = credentialExpiry(credential);
  return expiry === undefined ? '' : `, expires ${new Date(expiry).toISOString().slice(0, 10)}`;
}

/** A credential in one line for people, without anything secret in it. */
export function describeCredential(credential: AppCredential): string {
  switch (credential.kind) {
    case 'apns-key':
      return `APNs key ${credential.keyId} of team ${credential.teamId}, sha256 ${keyFingerprint(credential.privateKey)}`;
    case 'apns-certificate':
      return `APNs certificate${expiryText(credential)}, sha256 ${certificateFingerprint(credential.certificate)}`;
    case 'fcm-service-account':
      return `FCM service account of project ${credential.projectId}, key ${credential.privateKeyId.slice(0, FINGERPRINT_LENGTH)}, sha256 ${keyFingerprint(credential.privateKey)}`;
    default:
      return credential satisfies never;
  }
}
