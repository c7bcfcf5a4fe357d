import { X509Certificate } from 'node:crypto';
import type { AppCredential } from '../app.ts';

/** The certificate in PEM form (the first one of several); undefined when it cannot be read. */
export function readableCertificate(pem: string): X509Certificate | undefined {
  try {
    return new X509Certificate(pem);
  } catch {
    // Whoever shows a credential has nothing else to say of a damaged one.
    return undefined;
  }
}

/** When a credential ends by itself, milliseconds since the epoch; undefined where it does not, or cannot be read. */
export function credentialExpiry(credential: AppCredential): number | undefined {
  return credential.kind === 'apns-certificate'
    ? readableCertificate(credential.certificate)?.validToDate.getTime()
    : undefined;
}
