import { configuredKeys } from './credential-unreadable.ts';
import type { Opened } from './credential-vault.ts';

/** Other processes share a provider token of Apple that this one has not the key to read. */
export class ProviderTokenUnreadable extends Error {
  override readonly name = 'ProviderTokenUnreadable';

  constructor({ keyId, configured }: Extract<Opened, { readonly kind: 'key-missing' }>) {
    super(
      `Apple's provider token in the database is encrypted with the key ${keyId}, which is missing (${configuredKeys(configured)}): set CREDENTIALS_KEY or CREDENTIALS_KEY_PREVIOUS as the running service has it`,
    );
  }
}
