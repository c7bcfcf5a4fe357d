import { generateKeyPairSync } from 'node:crypto';
import { type Apple, type AppleOptions, startApple } from './apple.ts';
import { createThrowAwayCa, type ThrowAwayCa } from './certificates.ts';
import { type Google, type GoogleOptions, startGoogle } from './google.ts';
import { type PlatformApi, type PlatformOptions, startPlatformApi } from './platform-api.ts';

/** A developer team's signing key: what Apple's site gives out as a .p8 file. */
export interface TeamKey {
  readonly teamId: string;
  readonly keyId: string;
  /** PEM (PKCS #8), EC P-256. */
  readonly privateKey: string;
}

/** Everything outside the service, on loopback: both of Apple's environments, Google and the platform API. */
export interface World {
  readonly ca: ThrowAwayCa;
  readonly apple: Apple;
  readonly appleSandbox: Apple;
  readonly google: Google;
  readonly platform: PlatformApi;
  readonly teamKey: TeamKey;
  /** The service-account file of a Google project, as JSON text. */
  readonly serviceAccount: string;
  /** The settings that make the service use this world instead of the real one. */
  readonly settings: Readonly<
    Record<'APNS_URL' | 'APNS_SANDBOX_URL' | 'FCM_URL' | 'VG_API_BASE_URL', string>
  >;
  close(): Promise<void>;
}

/** How the world is set up; what is not told is as the single stand-ins have it. */
export interface WorldOptions {
  readonly apple?: Omit<AppleOptions, 'ca' | 'sandboxEnvironment'>;
  readonly google?: Omit<GoogleOptions, 'ca'>;
  readonly platform?: PlatformOptions;
  /** The first of four ports in a row, in the order of `settings`; free ones, unless given. */
  readonly portBase?: number | undefined;
}

const TEAM_ID = 'SANDBOX001';
const KEY_ID = 'SANDBOXKEY';
const PROJECT_ID = 'sandbox-project';

/** Starts all stand-ins with a certificate authority of their own and one credential for each push service. */
export async function startWorld(options: WorldOptions = {}): Promise<World> {
  await using starting = new AsyncDisposableStack();
  const started = async <T extends { close(): Promise<void> }>(part: Promise<T>): Promise<T> =>
    starting.adopt(await part, (value) => value.close());
  const ca = createThrowAwayCa();
  const { portBase } = options;
  const port = (index: number): number => (portBase === undefined ? 0 : portBase + index);
  const apple = await started(startApple({ ca, port: port(0), ...options.apple }));
  const appleSandbox = await started(
    startApple({ ca, port: port(1), ...options.apple, sandboxEnvironment: true }),
  );
  const google = await started(startGoogle({ ca, port: port(2), ...options.google }));
  const platform = await started(startPlatformApi({ port: port(3), ...options.platform }));
  const teamKey = registerTeamKey([apple, appleSandbox]);
  const serviceAccount = JSON.stringify(await google.createServiceAccount({ projectId: PROJECT_ID }));
  const running = starting.move();
  return {
    ca,
    apple,
    appleSandbox,
    google,
    platform,
    teamKey,
    serviceAccount,
    settings: {
      APNS_URL: apple.origin,
      APNS_SANDBOX_URL: appleSandbox.origin,
      FCM_URL: google.origin,
      VG_API_BASE_URL: platform.url,
    },
    close: () => running.disposeAsync(),
  };
}

function registerTeamKey(apples: readonly Apple[]): TeamKey {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const publicKey = pair.publicKey.export({ format: 'pem', type: 'spki' }).toString();
  for (const apple of apples) apple.registerKey({ keyId: KEY_ID, teamId: TEAM_ID, publicKey });
  const privateKey = pair.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
  return { teamId: TEAM_ID, keyId: KEY_ID, privateKey };
}
