import type { App } from '../devices/app.ts';
import type { AppStore } from '../devices/app-store.ts';

/** Keeps the running service's apps the same as the database's. */
export interface AppWatcher {
  /** Reads the apps now, if any changed; reads under way are shared. Never rejects. */
  refresh(): Promise<void>;
  stop(): void;
}

/**
 * Looks at the apps' revision every `intervalMs` and reads the apps when it has moved, so that an app that was added,
 * rotated or removed (by the command line, by another instance) is taken up without a restart.
 */
export function watchApps(options: {
  readonly store: Pick<AppStore, 'list' | 'revision'>;
  readonly intervalMs: number;
  readonly onApps: (apps: readonly App[]) => void;
  readonly onError: (error: unknown) => void;
}): AppWatcher {
  let seen: number | undefined;
  let reading: Promise<void> | undefined;

  async function read(): Promise<void> {
    try {
      const revision = await options.store.revision();
      if (revision === seen) return;
      options.onApps(await options.store.list());
      seen = revision;
    } catch (error) {
      options.onError(error);
    } finally {
      reading = undefined;
    }
  }

  const refresh = (): Promise<void> => {
    reading ??= read();
    return reading;
  };
  const timer = setInterval(refresh, options.intervalMs);
  return { refresh, stop: () => clearInterval(timer) };
}
