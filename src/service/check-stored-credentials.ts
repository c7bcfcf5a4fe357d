import type { AppStore } from '../apps/app-store.ts';
import type { CredentialVault } from '../apps/credential-vault.ts';
import { PROGRAM } from '../lib/program.ts';

/**
 * Looks whether every stored credential can be read before a service starts, and warns of those that are not encrypted
 * although there is a key for it. Rejects with `CredentialUnreadable`, and with `StorageUnavailable`.
 */
export async function checkStoredCredentials(parts: {
  readonly apps: Pick<AppStore, 'read'>;
  readonly vault: Pick<CredentialVault, 'sealsWith'>;
  readonly warn: (text: string) => void;
}): Promise<void> {
  const { unreadable, unencrypted } = await parts.apps.read();
  for (const { error } of unreadable) throw error;
  if (parts.vault.sealsWith === undefined || unencrypted === 0) return;
  const whose = unencrypted === 1 ? "1 app's credential is" : `${unencrypted} apps' credentials are`;
  parts.warn(`${whose} stored unencrypted; run: ${PROGRAM} credentials rotate`);
}
