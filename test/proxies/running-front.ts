import { execFile } from 'node:child_process';
import { chown, readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import {
  freePort,
  type RunAs,
  removeFolder,
  ServerProcess,
  serverFolder,
  unprivileged,
} from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { within } from '../../src/lib/within.ts';
import type { World } from '../../src/sandbox/world.ts';
import type { Front, Limits } from './front.ts';
import { startHttp1Adapter } from './http1-adapter.ts';

/** A proxy that runs in front of both push services. */
export interface RunningFront {
  /** What the service is given in the place of the stand-ins. */
  readonly settings: Readonly<Record<'APNS_URL' | 'FCM_URL', string>>;
  /** Gracefully: whatever it serves at that moment is served to its end. */
  reload(): Promise<void>;
  /** What it wrote to its log, the last of it. */
  log(): Promise<string>;
  close(): Promise<void>;
}

const USER = 'www-data';
const END_MS = 5_000;
const RELOAD_MS = 10_000;
const SHOWN_LOG = 2_000;

const run = promisify(execFile);

/** Starts a proxy on free ports with a certificate of the world's, and waits until it listens. */
export async function startFront(front: Front, world: World, limits: Limits): Promise<RunningFront> {
  await using starting = new AsyncDisposableStack();
  const as = unprivileged(USER);
  const folder = await serverFolder(as);
  starting.defer(() => removeFolder(folder));

  const targetOf = async (origin: string): Promise<number> => {
    if (front.upstream === 'h2') return Number(new URL(origin).port);
    const adapter = await startHttp1Adapter(origin, world.ca.certificate);
    starting.defer(() => adapter.close());
    return adapter.port;
  };
  const apple = { listen: await freePort(), target: await targetOf(world.apple.origin), path: '/3/' };
  const google = { listen: await freePort(), target: await targetOf(world.google.origin), path: '/v1/' };
  const { certificate, privateKey } = world.ca.issueServer();
  const certificateFile = join(folder, 'cert.pem');
  const keyFile = join(folder, 'cert.pem.key');
  const { files, args } = front.configure({
    folder,
    certificateFile,
    keyFile,
    doors: [apple, google],
    limits,
  });
  await put(folder, { 'cert.pem': certificate, 'cert.pem.key': privateKey, ...files }, as);

  // A session of its own: processes that outlive a reload, and their parent, are found by it.
  const master = new ServerProcess('setsid', [front.program, ...args], as);
  master.start();
  const { pid } = master;
  starting.defer(async () => {
    if (!(await within(master.end('SIGTERM'), END_MS))) await master.end('SIGKILL');
    killGroup(pid);
  });
  const log = async (): Promise<string> => {
    const written = await readFile(join(folder, 'error.log'), 'utf8').catch(() => '');
    return `${master.output}${written}`.slice(-SHOWN_LOG);
  };
  for (const { listen } of [apple, google]) {
    await until(async () => {
      if (!master.runs) throw new Error(`${front.name} has ended: ${await log()}`);
      return accepts(listen);
    }, `${front.name} listens`);
  }
  const running = starting.move();
  return {
    settings: {
      APNS_URL: `https://127.0.0.1:${apple.listen}`,
      FCM_URL: `https://127.0.0.1:${google.listen}`,
    },
    reload: async () => {
      const { reload } = front;
      if (typeof reload === 'string') process.kill(master.pid, reload);
      else await run(front.program, [...reload(folder)], { ...as, timeout: RELOAD_MS });
    },
    log,
    close: () => running.disposeAsync(),
  };
}

function killGroup(leader: number): void {
  try {
    process.kill(-leader, 'SIGKILL');
  } catch {
    // Nothing of it is left.
  }
}

/** What the program calls its version. */
export async function versionOf({ program, versionArgs }: Front): Promise<string> {
  const { stdout, stderr } = await run(program, [...versionArgs]);
  return /\d+\.\d[\w.+~-]*/.exec(`${stdout}${stderr}`)?.[0] ?? 'unknown';
}

async function put(folder: string, files: Readonly<Record<string, string>>, as: RunAs): Promise<void> {
  for (const [name, text] of Object.entries(files)) {
    const path = join(folder, name);
    await writeFile(path, text, { mode: 0o600 });
    if (as.uid !== undefined && as.gid !== undefined) await chown(path, as.uid, as.gid);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}
