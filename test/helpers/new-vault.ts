import { createSecretKey, type KeyObject, randomBytes } from 'node:crypto';
import { type CredentialVault, createCredentialVault } from '../../src/apps/credential-vault.ts';

/** A new key for credentials. */
export const newVaultKey = (): KeyObject => createSecretKey(randomBytes(32));

/** A vault that encrypts with `current` and can read what the others encrypted. */
export const vaultOf = (current: KeyObject | undefined, ...previous: KeyObject[]): CredentialVault =>
  createCredentialVault({ current, previous });
