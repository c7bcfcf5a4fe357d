import { mkdir, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { startBatch } from '../calls/call-batch.ts';
import { now, sleepUntil } from '../lib/clock.ts';
import type { Tools } from '../lib/tools.ts';
import type { TargetOptions } from '../options.ts';
import type { Subject } from './subject.ts';

/** How long the target may take to come up. */
const PATIENCE_MS = 120_000;
const LOOK_EVERY_MS = 500;
const WAKE_MS = 200;
/** Whoever cannot be asked how many calls wait is given so long to notice that PBXs have hung up. */
const SETTLE_MS = 2_000;

/** Waits for another implementation of the HTTP API, and finds out whether it pushes to the phones of the bench. */
export async function startTarget(
  tools: Tools,
  { url, pid, settings }: TargetOptions,
  say: (text: string) => void,
): Promise<Subject> {
  if (settings !== undefined)
    say(`${await writeSettings(tools, resolve(settings))} says how to start the target`);
  await whenUp(tools, url);
  const target = {
    name: 'target',
    origins: [url],
    pids: pid === undefined ? [] : [pid],
    settle: () => sleepUntil(now() + SETTLE_MS),
    close: async () => {},
  };
  const first = { arrivals: Float64Array.of(0), seed: 1, wakeMs: WAKE_MS };
  const trial = await startBatch(tools, { ...target, pushes: false }, first);
  const { phone } = await trial.ended;
  const pushes = !Number.isNaN(phone.pushed[0]);
  if (!pushes) say('the target does not push to the phones of the bench: they answer by the clock');
  return { ...target, pushes };
}

async function whenUp({ pbxs, accounts }: Tools, origin: string): Promise<void> {
  const giveUpAt = now() + PATIENCE_MS;
  for (;;) {
    try {
      await pbxs.ask('register', { accounts, count: 1, atOnce: 1, origin });
      return;
    } catch (error) {
      if (now() > giveUpAt) throw new Error(`${origin} registered no phone in two minutes`, { cause: error });
      await sleepUntil(now() + LOOK_EVERY_MS);
    }
  }
}

async function writeSettings({ world }: Tools, folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  const write = async (name: string, content: string): Promise<string> => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };
  const { teamKey, serviceAccount, settings, ca } = world;
  const lines = {
    ...settings,
    NODE_EXTRA_CA_CERTS: await write('ca.pem', ca),
    APNS_KEY_FILE: await write('apns-key.p8', teamKey.privateKey),
    APNS_TEAM_ID: teamKey.teamId,
    APNS_KEY_ID: teamKey.keyId,
    FCM_SERVICE_ACCOUNT_FILE: await write('service-account.json', serviceAccount),
  };
  return write(
    'bench.env',
    Object.entries(lines)
      .map(([name, value]) => `${name}=${value}\n`)
      .join(''),
  );
}
