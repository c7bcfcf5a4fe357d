import type { PushSettings } from '../../config/part-settings.ts';
import { monotonic } from '../../lib/monotonic.ts';
import { requireSharedTokens } from '../apps/require-shared-tokens.ts';
import { CommandFailed } from '../kit/command-context.ts';
import { withStores } from '../kit/with-stores.ts';
import { noDevice } from './device-view.ts';
import { createDirectPusher, type DirectPush } from './direct-pusher.ts';

/** A test push from this process. */
export interface DirectWake {
  readonly platform: string;
  readonly appId: string;
  /** Milliseconds for finding device and app in the open database. */
  readonly lookupMs: number;
  readonly push: DirectPush;
}

/** Looks the account's device up and pushes a call to it; changes nothing in the database. */
export async function wakeDirectly(
  config: PushSettings & { readonly responseApi: string | undefined },
  ask: { readonly account: number; readonly phoneNumber: string; readonly timeoutMs: number },
): Promise<DirectWake> {
  const { account, phoneNumber, timeoutMs } = ask;
  const { app, device, lookupMs } = await withStores(config, async (stores) => {
    const startedAt = monotonic();
    const found = await stores.devices.find(account);
    if (found === undefined) throw noDevice(account);
    const { platform, appId } = found;
    const known = await stores.apps.find(platform, appId);
    if (known === undefined) throw new CommandFailed(`The ${platform} app ${appId} was removed just now.`);
    await requireSharedTokens(stores, [known]);
    return { app: known, device: found, lookupMs: monotonic() - startedAt };
  });
  const pusher = createDirectPusher(config);
  try {
    const { responseApi } = config;
    const push = await pusher.push({ app, device, phoneNumber, responseApi, timeoutMs });
    return { platform: app.platform, appId: app.appId, lookupMs, push };
  } finally {
    await pusher.close();
  }
}
