import { SANDBOX_APPS } from '../../../src/cli/sandbox/sandbox-apps.ts';
import { createDeviceStore } from '../../../src/devices/device-store.ts';
import { openDatabase } from '../../../src/storage/open-database.ts';
import type { Subscriber } from './ledger.ts';

const CONNECTIONS = 8;

/** Registers the phones of all subscribers in a database that knows the apps, unless they are there. */
export async function putSubscribersIn(
  databaseUrl: string,
  subscribers: readonly Subscriber[],
): Promise<void> {
  const database = await openDatabase(databaseUrl, { poolSize: CONNECTIONS, timeoutMs: 30_000 });
  try {
    const devices = createDeviceStore(database);
    const last = subscribers.at(-1);
    if (last === undefined || (await devices.exists(last.account))) return;
    const left = subscribers.values();
    const registerInTurn = async () => {
      for (const { account, kind, token } of left) {
        const platform = kind === 'ios' ? 'apns' : 'android';
        const profile = kind === 'ios' ? { pushProfile: 'once', sandbox: false } : {};
        const appId = SANDBOX_APPS[platform];
        await devices.register({ account, platform, appId, token, ...profile }, Date.now());
      }
    };
    await Promise.all(Array.from({ length: CONNECTIONS }, registerInTurn));
  } finally {
    await database.close();
  }
}
