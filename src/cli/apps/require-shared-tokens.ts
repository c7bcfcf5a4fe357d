import type { App } from '../../apps/app.ts';
import { credentialId } from '../../push/credential-id.ts';
import type { Stores } from '../kit/with-stores.ts';

/**
 * Rejects with `ProviderTokenUnreadable` when the running service has a token of these apps' keys that this process
 * cannot read: it would make one of its own, and Apple would refuse the service's pushes for it.
 */
export async function requireSharedTokens(
  { providerTokens }: Pick<Stores, 'providerTokens'>,
  apps: readonly App[],
): Promise<void> {
  for (const { credential } of apps) {
    if (credential.kind === 'apns-key') await providerTokens.load(credentialId(credential));
  }
}
