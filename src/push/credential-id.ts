import { createHash } from 'node:crypto';
import type { AppCredential } from '../apps/app.ts';

/**
 * A name for a credential by what it is made of: two apps with the same key have the same one. It holds hashes, no
 * secrets.
 */
export function credentialId(credential: AppCredential): string {
  const hash = createHash('sha256').update(JSON.stringify(credential)).digest('hex');
  return `${credential.kind}:${hash}`;
}
