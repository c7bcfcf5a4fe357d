import type { App } from '../apps/app.ts';
import type { Clock } from '../lib/clock.ts';
import { type AppSender, createAppSender } from './app-sender.ts';
import type { SenderEvents } from './push-events.ts';
import type { PushProvider } from './push-provider.ts';

/** The apps that this service can wake phones of. */
export interface AppSenders {
  /** Undefined for an app that is not known. */
  get(appKey: number): AppSender | undefined;
  /**
   * Takes up the apps as they are now: added ones connect, removed ones close when their last push has ended, changed
   * ones (another revision) are both. Apps that are as before notice nothing.
   */
  update(apps: readonly App[]): void;
  /** The pushes in flight of each app that is known. */
  inFlight(): readonly { readonly appId: string; readonly platform: string; readonly inFlight: number }[];
  /** Closes every app's connections, also those of removed apps; pushes in flight end as `unavailable`. */
  close(): Promise<void>;
}

/** Parts of the registry. */
export interface AppSendersOptions {
  /** May throw: the app is then known, and unusable. */
  readonly createProvider: (app: App) => PushProvider;
  readonly clock: Clock;
  readonly events: SenderEvents;
  /** Pushes of one app that may be in flight. */
  readonly maxInFlight: number;
}

/** Makes a registry without apps. */
export function createAppSenders(options: AppSendersOptions): AppSenders {
  const { clock, events, maxInFlight } = options;
  const current = new Map<number, AppSender>();
  const retiring = new Set<AppSender>();
  let closed = false;

  function add(app: App): void {
    let provider: PushProvider | undefined;
    try {
      provider = options.createProvider(app);
    } catch (error) {
      const { key, appId, platform } = app;
      const cause = error instanceof Error ? error : new Error('Not an error', { cause: error });
      events.appFault({ app: key, appId, platform, reason: 'credential-unusable', error: cause });
    }
    current.set(app.key, createAppSender({ app, provider, clock, events, maxInFlight }));
    provider?.warm();
  }

  function retire(sender: AppSender): void {
    retiring.add(sender);
    void sender.retire().then(() => retiring.delete(sender));
  }

  return {
    get: (appKey) => current.get(appKey),
    inFlight: () =>
      [...current.values()].map(({ labels: { appId, platform }, inFlight }) => ({
        appId,
        platform,
        inFlight,
      })),
    update: (apps) => {
      if (closed) return;
      const old = new Map(current);
      for (const app of apps) {
        const known = old.get(app.key);
        if (known?.app.revision === app.revision) old.delete(app.key);
        else add(app);
      }
      // The old ones last, so that a connection which their successors share stays open.
      for (const [key, sender] of old) {
        if (current.get(key) === sender) current.delete(key);
        retire(sender);
      }
    },
    close: async () => {
      closed = true;
      const all = [...current.values(), ...retiring];
      current.clear();
      await Promise.all(all.map((sender) => sender.close()));
    },
  };
}
