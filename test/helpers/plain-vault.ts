import { createCredentialVault } from '../../src/devices/credential-vault.ts';

/** For stores whose credentials are stored as they are. */
export const PLAIN_VAULT = createCredentialVault({ current: undefined, previous: [] });
