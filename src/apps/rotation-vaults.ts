import type { CredentialVault } from './credential-vault.ts';

/** Two vaults of a rotation; they are the same one unless everything is to be decrypted. */
export interface RotationVaults {
  /** Writes; what is stored as it would write it is left alone. */
  readonly to: Pick<CredentialVault, 'seal' | 'sealsWith'>;
  /** Reads everything that may be there. */
  readonly from: Pick<CredentialVault, 'open'>;
}
