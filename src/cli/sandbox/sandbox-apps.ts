import tls from 'node:tls';
import type { AppCredential } from '../../apps/app.ts';
import { createAppStore } from '../../apps/app-store.ts';
import { readFcmServiceAccount } from '../../apps/credential/read-fcm-service-account.ts';
import { createCredentialVault } from '../../apps/credential-vault.ts';
import type { Platform } from '../../apps/platform.ts';
import type { World } from '../../sandbox/world.ts';
import { migrate } from '../../storage/migrate.ts';
import { openDatabase } from '../../storage/open-database.ts';
import { COMMAND_LIMITS } from '../../storage/server/server-limits.ts';

/** The apps that the sandbox's phones run. */
export const SANDBOX_APPS = { apns: 'com.example.phone', android: 'com.example.phone' } as const;

/** Puts the sandbox's apps with its credentials, which are worth nothing elsewhere, in a database, not encrypted. */
export async function addSandboxApps(
  databaseUrl: string,
  world: Pick<World, 'teamKey' | 'serviceAccount'>,
): Promise<void> {
  // Nobody waits for an answer within a second, as a PBX does.
  const database = await openDatabase(databaseUrl, COMMAND_LIMITS);
  try {
    await migrate(database);
    const store = createAppStore(database, createCredentialVault({ current: undefined, previous: [] }));
    const add = (platform: Platform, appId: string, credential: AppCredential) =>
      store.save({ platform, appId, credential }, Date.now());
    await add('apns', SANDBOX_APPS.apns, { kind: 'apns-key', ...world.teamKey });
    const account = readFcmServiceAccount(world.serviceAccount);
    if (!account.ok) throw new Error(`the sandbox's service account is not usable: ${account.problem}`);
    await add('android', SANDBOX_APPS.android, account.credential);
  } finally {
    await database.close();
  }
}

/** Makes this process trust the sandbox's throw-away authority beside the usual ones, as NODE_EXTRA_CA_CERTS does. */
export function trustSandbox(caCertificate: string): void {
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
}
