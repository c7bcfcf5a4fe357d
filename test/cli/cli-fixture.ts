import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import type { DeviceRegistration } from '../../src/devices/register-device.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { COMPILE_CACHE } from '../helpers/compile-cache.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';

/** How a command ended. */
export interface CliRun {
  readonly code: number;
  readonly stdout: string;
  /** Without the line that names the database. */
  readonly stderr: string;
  /** The database that it says it used; undefined where it said nothing. */
  readonly database: string | undefined;
  /** What it printed, all of it. */
  readonly all: string;
}

/** The command line as a child process, with a folder and a database of its own. */
export interface Cli {
  readonly folder: string;
  readonly databaseUrl: string;
  /** Runs a command with these settings and no others. */
  run(args: readonly string[], settings?: Readonly<Record<string, string>>): Promise<CliRun>;
  /** Makes the database, or another one, as `migrate` does. */
  migrate(url?: string): Promise<void>;
  /** Writes a file into the folder; its path. */
  file(name: string, content: string): Promise<string>;
  /** Puts devices in the database, whose apps must be there. */
  register(...devices: readonly DeviceRegistration[]): Promise<void>;
  /** Makes every stored credential unreadable. */
  spoilCredentials(): Promise<void>;
  /** The credential kinds in the database by `platform appId`. */
  storedApps(): Promise<Readonly<Record<string, string>>>;
}

const MAIN = new URL('../../src/main.ts', import.meta.url).pathname;
/** A command takes about a second; far longer under load. */
const LIMIT_MS = 60_000;

/** A fresh folder and database for one test or suite. */
export async function createCli(t: Pick<TestContext, 'after'>): Promise<Cli> {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-cli-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const databaseUrl = `sqlite:${join(folder, 'cli.db')}`;
  return {
    folder,
    databaseUrl,
    run: (args, settings = {}) => run(args, { DATABASE_URL: databaseUrl, ...settings }, folder),
    file: async (name, content) => {
      const path = join(folder, name);
      await writeFile(path, content);
      return path;
    },
    migrate: (url = databaseUrl) => withDatabase(url, async () => {}),
    register: (...devices) =>
      withDatabase(databaseUrl, async (database) => {
        const store = createDeviceStore(database);
        for (const device of devices) await store.register(device, Date.UTC(2026, 0, 2, 3, 4, 5));
      }),
    spoilCredentials: () =>
      withDatabase(databaseUrl, async ({ kysely }) => {
        await kysely.updateTable('apps').set({ credential: 'hunter2' }).execute();
      }),
    storedApps: () =>
      withDatabase(databaseUrl, async (database) => {
        const apps = await createAppStore(database, PLAIN_VAULT).list();
        return Object.fromEntries(
          apps.map(({ platform, appId, credential }) => [`${platform} ${appId}`, credential.kind]),
        );
      }),
  };
}

async function withDatabase<T>(
  url: string,
  work: (database: Awaited<ReturnType<typeof openDatabase>>) => Promise<T>,
): Promise<T> {
  const database = await openDatabase(url);
  try {
    await migrate(database);
    return await work(database);
  } finally {
    await database.close();
  }
}

function run(
  args: readonly string[],
  settings: Readonly<Record<string, string>>,
  cwd: string,
): Promise<CliRun> {
  const { promise, resolve, reject } = Promise.withResolvers<CliRun>();
  const env = { PATH: process.env['PATH'] ?? '', ...COMPILE_CACHE, ...settings };
  const child = execFile(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--', MAIN, ...args],
    { env, cwd, timeout: LIMIT_MS },
    (error, stdout, stderr) => {
      if (child.exitCode === null)
        reject(new Error(`${args.join(' ')} did not end by itself: ${stderr}`, { cause: error }));
      else {
        const [line, database] = /^Database: (.*)\n/m.exec(stderr) ?? [''];
        const rest = stderr.replace(line, '');
        resolve({ code: child.exitCode, stdout, stderr: rest, database, all: stdout + stderr });
      }
    },
  );
  return promise;
}
