import type { TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { readFcmServiceAccount } from '../../src/apps/credential/read-fcm-service-account.ts';
import type { Platform } from '../../src/apps/platform.ts';
import type { PushSource } from '../../src/sandbox/push-log.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from './plain-vault.ts';
import { type RawAnswer, type RawRequest, sendRaw } from './raw-http.ts';
import { newAccount, startTestService, type TestService } from './test-service.ts';

/** An app in somebody's hand, and the person's login. */
export interface ClientPhone {
  readonly account: number;
  readonly appId: string;
  readonly pushToken: string;
  /** The person's login, an e-mail address. */
  readonly user: string;
  /** `Basic …` of user and password. */
  readonly basic: string;
  /** `Token user:token`. */
  readonly token: string;
}

/** The keys of a push as the app finds them: Apple's payload, Google's `data`. */
export type PushPayload = Readonly<Record<string, unknown>>;

/** The service with real clients around it. */
export interface ClientScene extends TestService {
  /** A new person with a phone; not registered yet. */
  newPhone(app: { readonly platform: Platform; readonly appId: string }): ClientPhone;
  /** Sends a request byte for byte. */
  send(request: RawRequest): Promise<RawAnswer>;
  /** The pushes that reach a token from now on, wherever they come from. */
  pushesTo(token: string): PushPayload[];
}

/**
 * Starts the service with one push a call and a wait of 20 s, so that no test hangs on how fast the machine is, and
 * makes the clients' apps known to it.
 */
export async function startClientScene(
  t: Pick<TestContext, 'after'>,
  apps: readonly { readonly platform: Platform; readonly appId: string }[],
  settings: Readonly<Record<string, string>> = {},
): Promise<ClientScene> {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '20000', APP_PUSH_RESEND_INTERVAL: '20000', ...settings },
  });
  await addApps(service, apps);
  const { apple, appleSandbox, google } = service.world;
  const sources: readonly PushSource[] = [apple, appleSandbox, google];
  return {
    ...service,
    newPhone: ({ platform, appId }) => {
      const account = newAccount();
      const user = `jan.de.vries+${account}@example.com`;
      const login = { account, user, password: 'p4ss:wörd', token: `0a1b2c${account}` };
      return {
        account,
        appId,
        user,
        pushToken: pushTokenOf(platform),
        ...service.world.platform.addUser(login),
      };
    },
    send: (request) => sendRaw(service.url, request),
    pushesTo: (token) => {
      const pushes: PushPayload[] = [];
      for (const source of sources) t.after(source.onPush(token, ({ payload }) => pushes.push(payload)));
      return pushes;
    },
  };
}

/** The first push of a list that is being filled. */
export async function firstPush(pushes: readonly PushPayload[]): Promise<PushPayload> {
  await until(() => pushes.length > 0, 'the phone is pushed');
  return pushes[0] ?? {};
}

let nextToken = 0;

/** A push token as Apple or Google gives it to an app of the platform; each is new. */
export function pushTokenOf(platform: Platform): string {
  nextToken += 1;
  const number = String(nextToken).padStart(6, '0');
  switch (platform) {
    case 'apns':
      return `740f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61${number}`;
    case 'gcm':
      return `APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx_${number}${'Xy-_z9'.repeat(17)}`;
    case 'android':
      return `dYmQ_3k-TcaXb8wPz5kR${number.slice(-2)}:APA91b${'Hq-_7Zr'.repeat(18)}${number}`;
    default:
      return platform satisfies never;
  }
}

async function addApps(
  service: TestService,
  apps: readonly { readonly platform: Platform; readonly appId: string }[],
): Promise<void> {
  const { teamKey, serviceAccount } = service.world;
  const account = readFcmServiceAccount(serviceAccount);
  if (!account.ok) throw new Error(`the stand-in's service account is not usable: ${account.problem}`);
  const database = await openDatabase(service.databaseUrl);
  try {
    const store = createAppStore(database, PLAIN_VAULT);
    for (const { platform, appId } of apps) {
      const credential =
        platform === 'apns' ? ({ kind: 'apns-key', ...teamKey } as const) : account.credential;
      await store.save({ platform, appId, credential }, Date.now());
    }
  } finally {
    await database.close();
  }
  await service.running.refreshApps();
}
