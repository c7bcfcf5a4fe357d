import type { App } from '../devices/app.ts';
import type { AppStore } from '../devices/app-store.ts';

/** Keeps the running service's apps the same as the database's. */
export interface AppWatcher {
  /** Reads the apps, if any changed; resolves once every change that was committed before is taken up. Never rejects. */
  refresh(): Promise<void>;
  /** Nothing is taken up any more. */
  stop(): void;
}

/**
 * Looks at the apps' revision every `intervalMs` and reads the apps when it has moved, so that an app that was added,
 * rotated or removed (by the command line, by another instance) is taken up without a restart. At most one read is
 * under way and one waits behind it.
 */
export function watchApps(options: {
  readonly store: Pick<AppStore, 'list' | 'revision'>;
  readonly intervalMs: number;
  readonly onApps: (apps: readonly App[]) => void;
  readonly onError: (error: unknown) => void;
}): AppWatcher {
  let seen: number | undefined;
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let stopped = false;

  async function read(): Promise<void> {
    try {
      const revision = await options.store.revision();
      if (revision === seen) return;
      const apps = await options.store.list();
      if (stopped) return;
      options.onApps(apps);
      seen = revision;
    } catch (error) {
      options.onError(error);
    }
  }

  function start(): Promise<void> {
    reading = read().finally(() => {
      reading = undefined;
    });
    return reading;
  }

  /** A read that is under way may have begun before the change that is asked for: another one follows it. */
  function refresh(): Promise<void> {
    if (stopped) return Promise.resolve();
    if (reading === undefined) return start();
    next ??= reading.then(() => {
      next = undefined;
      return refresh();
    });
    return next;
  }

  const timer = setInterval(() => {
    if (reading === undefined) void start();
  }, options.intervalMs);
  return {
    refresh,
    stop: () => {
      stopped = true;
      clearInterval(timer);
    },
  };
}
