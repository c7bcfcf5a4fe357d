import type { App } from '../apps/app.ts';
import type { AppStore } from '../apps/app-store.ts';
import { credentialExpiry } from '../apps/credential/credential-expiry.ts';
import type { CredentialVault } from '../apps/credential-vault.ts';
import { PROGRAM } from '../lib/program.ts';
import type { AppSenders } from '../push/app-senders.ts';
import type { Telemetry } from '../telemetry/telemetry.ts';
import { watchApps } from './app-watcher.ts';
import { appsByPlatform } from './start-fields.ts';

const DAY_MS = 86_400_000;

const NO_APPS = `there are no apps: no phone can register or be woken; run: ${PROGRAM} apps add`;

/** The apps that this service knows now. */
export interface KnownApps {
  /** Undefined until the database was read. */
  readonly apps: readonly App[] | undefined;
  /** How many there are, and of how many the credential cannot be read; undefined until the database was read. */
  counts(): { readonly known: number; readonly unreadable: number } | undefined;
  /** Takes up apps that changed; never rejects. */
  refresh(): Promise<void>;
  stop(): void;
}

/** Keeps the apps the same as the database's, and has everybody who works with them take up each change. */
export function keepApps(deps: {
  readonly store: Pick<AppStore, 'read' | 'revision'>;
  readonly intervalMs: number;
  readonly senders: Pick<AppSenders, 'update'>;
  readonly devices: { appsKnown(appKeys: readonly number[]): void };
  readonly telemetry: Pick<Telemetry, 'log' | 'appsKnown' | 'credentialsUnreadable' | 'http'>;
}): KnownApps {
  const { store, intervalMs, senders, devices, telemetry } = deps;
  const { log } = telemetry;
  let apps: readonly App[] | undefined;
  let unreadable: number | undefined;

  const tellExpiries = (): void =>
    telemetry.appsKnown((apps ?? []).map((app) => ({ ...app, expiresAt: credentialExpiry(app.credential) })));

  const watcher = watchApps({
    store,
    intervalMs,
    onApps: (known) => {
      senders.update(known);
      if (known.length > 0) log.write('info', 'apps read', { apps: appsByPlatform(known) });
      else if (apps?.length !== 0) log.write('warn', NO_APPS, {});
      apps = known;
      devices.appsKnown(known.map(({ key }) => key));
      tellExpiries();
    },
    onUnreadable: (found) => {
      unreadable = found.length;
      telemetry.credentialsUnreadable(found);
    },
    onError: (error) => telemetry.http.storageFailed({ during: 'reading the apps', error }),
  });
  // A service that runs for months has to tell of a certificate that expires meanwhile.
  const daily = setInterval(tellExpiries, DAY_MS);

  return {
    get apps() {
      return apps;
    },
    counts: () => (unreadable === undefined ? undefined : { known: apps?.length ?? 0, unreadable }),
    refresh: watcher.refresh,
    stop: () => {
      clearInterval(daily);
      watcher.stop();
    },
  };
}

/**
 * Looks whether every stored credential can be read before a service starts, and warns of those that are not encrypted
 * although there is a key for it. Rejects with `CredentialUnreadable`, and with `StorageUnavailable`.
 */
export async function checkStoredCredentials(deps: {
  readonly apps: Pick<AppStore, 'read'>;
  readonly vault: Pick<CredentialVault, 'sealsWith'>;
  readonly warn: (text: string) => void;
}): Promise<void> {
  const { unreadable, unencrypted } = await deps.apps.read();
  for (const { error } of unreadable) throw error;
  if (deps.vault.sealsWith === undefined || unencrypted === 0) return;
  const whose = unencrypted === 1 ? "1 app's credential is" : `${unencrypted} apps' credentials are`;
  deps.warn(`${whose} stored unencrypted; run: ${PROGRAM} credentials rotate`);
}
