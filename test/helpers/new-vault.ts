import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type CredentialVault, createCredentialVault } from '../../src/apps/credential-vault.ts';

/** A new key for credentials. */
export function newVaultKey(): KeyObject {
  return createSecretKey(randomBytes(32));
}

/** A vault that encrypts with `current` and can read what the others encrypted. */
export function vaultOf(current: KeyObject | undefined, ...previous: KeyObject[]): CredentialVault {
  return createCredentialVault({ current, previous });
}
