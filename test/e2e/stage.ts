import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addSandboxApps, SANDBOX_APPS } from '../../src/cli/sandbox/sandbox-apps.ts';
import type { PhoneKind } from '../../src/sandbox/phone-app.ts';
import { startWorld, type World } from '../../src/sandbox/world.ts';
import { type Caller, createCaller } from './caller.ts';
import { type Handset, type Manner, startHandset } from './handset.ts';
import { type HttpTap, startHttpTap } from './http-tap.ts';
import { type Kamailio, startKamailio, type Variant } from './kamailio.ts';
import { type Network, pickNetwork, SIP_PORT } from './network.ts';
import { type Service, startService } from './service.ts';
import { startVoicemail } from './voicemail.ts';

/** The service's own wait, milliseconds: what it is unless told. */
export const WAIT_MS = 4_000;
/** Milliseconds from the push until the app runs, unless told. */
const LAUNCH_MS = 300;
/** Accounts that Kamailio knows. */
const ACCOUNTS = 120;
const FIRST_ACCOUNT = 200_000_001;

/** Everybody who takes part in a call. */
export interface Stage {
  readonly variant: Variant;
  readonly network: Network;
  readonly world: World;
  /** The instances of the service, in the order in which Kamailio asks them. Phones register with the last one. */
  readonly services: readonly Service[];
  /** Between Kamailio and the last instance. */
  readonly tap: HttpTap;
  readonly kamailio: Kamailio;
  readonly caller: Caller;
  /** An account that nobody has used, without a phone. */
  newAccount(): number;
  /** A phone of a new account, registered with the service. It is put away with the stage. */
  handset(kind: PhoneKind, manner: Manner, launchMs?: number): Promise<Handset>;
  handsets(): readonly Handset[];
  /** Pushes that Apple and Google accepted. */
  pushes(): number;
}

/** How a stage is set up. */
export interface StageOptions {
  readonly variant: Variant;
  readonly instances: 1 | 2;
  /** A voicemail server takes calls that could not ring. */
  readonly voicemail: boolean;
  /** Calls that Kamailio can ask for at once, in the variant that needs a process for each. */
  readonly workers: number;
  /** A folder with Kamailio modules beside Debian's. */
  readonly modules: string | undefined;
}

/** Starts push services, the service, and Kamailio; `open` ends them, also while they start. */
export async function startStage(options: StageOptions, open: AsyncDisposableStack): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-e2e-'));
  open.defer(() => rm(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 }));
  const world = await startWorld();
  open.defer(() => world.close());
  let pushes = 0;
  for (const source of [world.apple, world.google]) {
    source.onAnyPush(() => {
      pushes += 1;
    });
  }
  const services: Service[] = [];
  const settings = await settingsOf(folder, world);
  while (services.length < options.instances) {
    const service = await startService(settings);
    open.defer(() => service.kill());
    services.push(service);
  }
  const urls = services.map(({ url }) => url);
  const server = urls.at(-1) ?? '';
  const tap = await startHttpTap(server);
  open.defer(() => tap.close());

  const network = pickNetwork();
  const passwords = makePasswords();
  const kamailioFolder = join(folder, 'kamailio');
  await mkdir(kamailioFolder);
  const kamailio = await startKamailio({
    network,
    folder: kamailioFolder,
    variant: options.variant,
    workers: options.workers,
    passwords,
    services: [...urls.slice(0, -1), tap.url],
    defines: options.voicemail ? [`WAKE_FALLBACK="${network.voicemail}:${SIP_PORT}"`] : [],
    modules: options.modules,
  });
  open.defer(() => kamailio.close());

  if (options.voicemail) {
    const voicemail = await startVoicemail(network.voicemail, folder);
    open.defer(() => voicemail.close());
  }

  const accounts = [...passwords.keys()].values();
  const newAccount = (): number => {
    const next = accounts.next();
    if (next.done === true) throw new RangeError('there are no more accounts');
    return next.value;
  };
  const handsets: Handset[] = [];
  open.defer(async () => {
    await Promise.all(handsets.map((handset) => handset.close()));
  });
  return {
    variant: options.variant,
    network,
    world,
    services,
    tap,
    kamailio,
    caller: createCaller(network, folder),
    newAccount,
    handset: async (kind, manner, launchMs = LAUNCH_MS) => {
      const account = newAccount();
      const handset = await startHandset({
        kind,
        account,
        password: passwords.get(account) ?? '',
        token: kind === 'ios' ? account.toString(16).padStart(64, '0') : `fcm-${account}:x_y-z`,
        app: kind === 'ios' ? SANDBOX_APPS.apns : SANDBOX_APPS.android,
        manner,
        launchMs,
        server,
        source: kind === 'ios' ? world.apple : world.google,
        nextAddress: network.nextPhone,
        proxy: network.proxy,
        folder,
      });
      handsets.push(handset);
      return handset;
    },
    handsets: () => handsets,
    pushes: () => pushes,
  };
}

function makePasswords(): ReadonlyMap<number, string> {
  return new Map(
    Array.from({ length: ACCOUNTS }, (_, index) => [FIRST_ACCOUNT + index, randomBytes(8).toString('hex')]),
  );
}

/** The environment of every instance; they share a database. */
async function settingsOf(folder: string, world: World): Promise<Readonly<Record<string, string>>> {
  const caFile = join(folder, 'ca.pem');
  await writeFile(caFile, world.ca.certificate);
  const databaseUrl = `sqlite:${join(folder, 'middleware.db')}`;
  await addSandboxApps(databaseUrl, world);
  return {
    NODE_EXTRA_CA_CERTS: caFile,
    ...world.settings,
    ACCOUNT_AUTH: 'none',
    DATABASE_URL: databaseUrl,
    APP_PUSH_ROUNDTRIP_WAIT: String(WAIT_MS),
    // A machine that is busy with other things must not turn calls away.
    EVENT_LOOP_LIMIT: '0',
  };
}
