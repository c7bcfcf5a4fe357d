import { generateKeyPairSync } from 'node:crypto';
import type { AppCredential } from '../../src/apps/app.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { readFcmServiceAccount } from '../../src/apps/credential/read-fcm-service-account.ts';
import type { Platform } from '../../src/apps/platform.ts';
import type { World } from '../../src/sandbox/world.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import type { TestService } from '../helpers/test-service.ts';

/** An app to be saved. */
export interface NewApp {
  readonly platform: Platform;
  readonly appId: string;
  readonly credential: AppCredential;
}

/** Saves apps as `apps add` does in another process; the service learns of them by its own look at the database. */
export async function saveApps(
  service: Pick<TestService, 'databaseUrl'>,
  apps: readonly NewApp[],
): Promise<void> {
  const database = await openDatabase(service.databaseUrl);
  try {
    const store = createAppStore(database, PLAIN_VAULT);
    for (const app of apps) await store.save(app, Date.now());
  } finally {
    await database.close();
  }
}

/** Saves apps and has the service take them up. */
export async function addApps(service: TestService, apps: readonly NewApp[]): Promise<void> {
  await saveApps(service, apps);
  await service.running.refreshApps();
}

/** A key of the developer team that both of Apple's environments know. `keyId`: 10 letters. */
export function newTeamKey(world: World, keyId: string): AppCredential & { readonly kind: 'apns-key' } {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  const { teamId } = world.teamKey;
  for (const apple of [world.apple, world.appleSandbox]) apple.registerKey({ keyId, teamId, publicKey });
  const privateKey = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { kind: 'apns-key', teamId, keyId, privateKey };
}

/** A service account of the project that Google knows. */
export async function newServiceAccount(world: World, projectId: string): Promise<AppCredential> {
  const reading = readFcmServiceAccount(
    JSON.stringify(await world.google.createServiceAccount({ projectId })),
  );
  if (!reading.ok) throw new Error(`the stand-in's service account is not usable: ${reading.problem}`);
  return reading.credential;
}

/** Apple apps with the team's key: what happens to the breaker and the phones of one is not another's. */
export async function addAppleApps(service: TestService, count: number, name = 'row'): Promise<string[]> {
  const credential = { kind: 'apns-key', ...service.world.teamKey } as const;
  const apps = Array.from({ length: count }, (_, n) => ({
    platform: 'apns' as const,
    appId: `com.example.${name}${n}`,
    credential,
  }));
  await addApps(service, apps);
  return apps.map((app) => app.appId);
}

/** Android apps with a project, an access token and a connection each, or with `shared` ones. */
export async function addGoogleApps(
  service: TestService,
  options: { readonly count: number; readonly name?: string; readonly shared?: AppCredential },
): Promise<string[]> {
  const { count, name = 'row', shared } = options;
  const apps: NewApp[] = [];
  for (let n = 0; n < count; n += 1) {
    const credential = shared ?? (await newServiceAccount(service.world, `project-${name}${n}`));
    apps.push({ platform: 'android', appId: `com.example.${name}${n}`, credential });
  }
  await addApps(service, apps);
  return apps.map((app) => app.appId);
}
