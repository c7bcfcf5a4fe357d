import type { App } from '../apps/app.ts';
import type { AppStore } from '../apps/app-store.ts';
import type { CredentialUnreadable } from '../apps/credential-unreadable.ts';

/** Keeps the running service's apps the same as the database's. */
export interface AppWatcher {
  /** Reads the apps, if any changed; resolves once every change that was committed before is taken up. Never rejects. */
  refresh(): Promise<void>;
  /** Nothing is taken up any more. */
  stop(): void;
}

/** An app whose credential in the database cannot be read. */
export interface AppWithoutCredential {
  readonly error: CredentialUnreadable;
  /** Whether its phones are woken with the credential that could be read last. */
  readonly kept: boolean;
}

/**
 * Looks at the apps' revision every `intervalMs` and reads the apps when it has moved, so that an app that was added,
 * rotated or removed (by the command line, by another instance) is taken up without a restart. An app whose
 * credential cannot be read any more stays as it was read last. At most one read is
 * under way and one waits behind it.
 */
export function watchApps(options: {
  readonly store: Pick<AppStore, 'read' | 'revision'>;
  readonly intervalMs: number;
  readonly onApps: (apps: readonly App[]) => void;
  /** Called after each `onApps`, with none when all could be read. */
  readonly onUnreadable: (apps: readonly AppWithoutCredential[]) => void;
  readonly onError: (error: unknown) => void;
}): AppWatcher {
  let seen: number | undefined;
  let readable: ReadonlyMap<number, App> = new Map();
  let reading: Promise<void> | undefined;
  let next: Promise<void> | undefined;
  let stopped = false;

  async function read(): Promise<void> {
    try {
      const revision = await options.store.revision();
      if (revision === seen) return;
      const { apps, unreadable } = await options.store.read();
      if (stopped) return;
      const kept = unreadable.flatMap(({ key }) => readable.get(key) ?? []);
      readable = new Map([...apps, ...kept].map((app) => [app.key, app]));
      options.onApps([...readable.values()]);
      options.onUnreadable(unreadable.map(({ key, error }) => ({ error, kept: readable.has(key) })));
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
