import { createCredentialVault } from '../../src/apps/credential-vault.ts';

/** For stores whose credentials are stored as they are. */
export const PLAIN_VAULT = createCredentialVault({ current: undefined, previous: [] });
