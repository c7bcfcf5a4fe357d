import { realpath } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import type { App, AppCredential } from '../../apps/app.ts';
import type { AppStore } from '../../apps/app-store.ts';
import { credentialExpiry } from '../../apps/credential/credential-expiry.ts';
import { readApnsCertificate } from '../../apps/credential/read-apns-certificate.ts';
import { PLATFORMS, type Platform } from '../../apps/platform.ts';
import { readCredentialFile } from '../apps/read-credential-file.ts';
import { CommandFailed } from '../kit/command-context.ts';
import { oneLine } from '../kit/text-table.ts';
import type { ImportTally } from './import-tally.ts';
import type { ReferenceDatabase, ReferenceRow } from './reference-database.ts';

/** An app of the reference; `key` is its key here, `new` where a dry run would add it, undefined where it is not here. */
export interface KnownApp {
  readonly label: string;
  readonly platform: Platform | undefined;
  readonly appId: string;
  readonly key: number | 'new' | undefined;
}

/** A key that no app has: rows are counted up from 1. */
const NO_KEY = 0;

/** The app key to import devices with; undefined where their app is not here. */
export function keyOf(app: KnownApp | undefined): number | undefined {
  return app?.key === 'new' ? NO_KEY : app?.key;
}

interface Importing {
  readonly apps: Pick<AppStore, 'find' | 'save'>;
  /** Where the certificates are that `push_key` names; undefined: nowhere. */
  readonly certDir: string | undefined;
  readonly apply: boolean;
  readonly now: number;
}

type Reading = { readonly credential: AppCredential } | { readonly problem: string };

/** For Apple's apps `push_key` is the name of a file: whoever has to bring it needs it. */
function quoted(pushKey: string): string {
  return `"${oneLine(pushKey).slice(0, 100)}"`;
}

const UNSAFE: Reading = { problem: 'its push_key names no file below --cert-dir' };

/** The certificate in the file that the reference names, which must lie below the folder, links followed. */
async function readCertificate(
  { certDir, now }: Importing,
  pushKey: string,
  appId: string,
): Promise<Reading> {
  if (certDir === undefined) return { problem: 'its certificate is needed: give --cert-dir' };
  const root = await realpath(certDir);
  const path = await realpath(resolve(root, pushKey)).catch(() => undefined);
  if (path === undefined) return { problem: `${quoted(pushKey)}, its push_key, is not in --cert-dir` };
  if (!path.startsWith(root.endsWith(sep) ? root : root + sep)) return UNSAFE;
  try {
    const certPem = await readCredentialFile('--cert-dir', path);
    const reading = readApnsCertificate({ certPem, appId, now });
    return reading.ok ? reading : { problem: reading.problem };
  } catch (error) {
    if (error instanceof CommandFailed) return { problem: 'the file of its push_key cannot be read' };
    throw error;
  }
}

function isSame(one: AppCredential, other: AppCredential): boolean {
  return (
    one.kind === 'apns-certificate' &&
    other.kind === 'apns-certificate' &&
    one.certificate === other.certificate &&
    one.privateKey === other.privateKey
  );
}

/** Whether the reference's certificate should take the place of what the app has here. */
function isBetter(theirs: AppCredential, ours: AppCredential): boolean {
  return ours.kind === 'apns-certificate' && (credentialExpiry(theirs) ?? 0) > (credentialExpiry(ours) ?? 0);
}

async function importApnsApp(
  importing: Importing,
  tally: ImportTally,
  app: { readonly label: string; readonly appId: string; readonly pushKey: string },
  known: App | undefined,
): Promise<KnownApp['key']> {
  // Apple's keys do not expire and serve every app: a certificate is never an improvement.
  if (known !== undefined && known.credential.kind !== 'apns-certificate') {
    tally.unchanged += 1;
    return known.key;
  }
  const reading = await readCertificate(importing, app.pushKey, app.appId);
  if ('problem' in reading) {
    tally.skip(`${app.label}: ${reading.problem}`);
    return known?.key;
  }
  const { credential } = reading;
  if (known !== undefined && isSame(known.credential, credential)) {
    tally.unchanged += 1;
    return known.key;
  }
  if (known !== undefined && !isBetter(credential, known.credential)) {
    tally.skip(`${app.label}: the certificate that it has here is valid for longer`);
    return known.key;
  }
  if (known === undefined) tally.added += 1;
  else tally.updated += 1;
  if (!importing.apply) return known?.key ?? 'new';
  const saved = await importing.apps.save({ platform: 'apns', appId: app.appId, credential }, importing.now);
  return saved.app.key;
}

async function importApp(importing: Importing, tally: ImportTally, row: ReferenceRow): Promise<KnownApp> {
  const appId = String(row['app_id']);
  const platform = PLATFORMS.find((one) => one === row['platform']);
  const label = oneLine(`${String(row['platform'])} ${appId}`);
  const unusable = (reason: string): KnownApp => {
    tally.skip(`${label}: ${reason}`);
    return { label, platform, appId, key: undefined };
  };
  if (platform === undefined) return unusable('its platform is not known');
  if (!/^[\x21-\x7e]{1,255}$/.test(appId))
    return unusable('its app id holds a space or other than ASCII characters');
  const known = await importing.apps.find(platform, appId);
  if (platform === 'apns') {
    const app = { label, appId, pushKey: String(row['push_key']) };
    return { label, platform, appId, key: await importApnsApp(importing, tally, app, known) };
  }
  if (known === undefined) return unusable('Google wants a service account now; its old key is of no use');
  tally.unchanged += 1;
  return { label, platform, appId, key: known.key };
}

/** Takes over the apps; resolves with them by their id in the reference. */
export async function importApps(
  reference: Pick<ReferenceDatabase, 'apps'>,
  importing: Importing,
  tally: ImportTally,
): Promise<ReadonlyMap<number, KnownApp>> {
  const apps = new Map<number, KnownApp>();
  for (let after = 0; ; ) {
    const rows = await reference.apps(after);
    for (const row of rows) {
      after = Number(row['id']);
      apps.set(after, await importApp(importing, tally, row));
    }
    if (rows.length === 0) return apps;
  }
}
