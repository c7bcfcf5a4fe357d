import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { chown, copyFile, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { skipWithout } from '../../harness/find-server.ts';
import { createAppStore } from '../../src/apps/app-store.ts';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { PLAIN_VAULT } from '../helpers/plain-vault.ts';
import { tempFolder } from '../storage/temp-folder.ts';

const APP = { platform: 'apns', appId: 'com.example.app' } as const;
const CREDENTIAL = { kind: 'apns-key', keyId: 'A', teamId: 'B', privateKey: 'C' } as const;
const account = 123_456_789;
const ANOTHER_USER = 4_321;

/** The shell commands of docs/operations.md below the line `# title`. */
async function documented(title: string): Promise<string> {
  const [, commands] = (await readFile('docs/operations.md', 'utf8')).split(
    new RegExp(`\`\`\`sh\\n *# ${title}\\n`),
  );
  assert.ok(commands !== undefined, `docs/operations.md has no commands "${title}"`);
  return commands.slice(0, commands.indexOf('```'));
}

async function run(commands: string, files: { readonly DB: string; readonly BACKUP: string }) {
  const env = { PATH: process.env['PATH'] ?? '', ...files };
  const { stdout } = await promisify(execFile)('sh', ['-euc', `umask 022\n${commands}`], { env });
  return stdout;
}

function register(database: Database, token: string) {
  return createDeviceStore(database).register({ account, ...APP, token }, 1);
}

/** A database whose backup has another token than it has now, and what a process that was killed leaves beside it. */
async function prepare(t: TestContext) {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const files = { DB: join(folder.path, 'a.db'), BACKUP: join(folder.path, 'backup.db') };
  const database = await openDatabase(`sqlite:${files.DB}`);
  await migrate(database);
  await createAppStore(database, PLAIN_VAULT).save({ ...APP, credential: CREDENTIAL }, 1);
  await register(database, 'of-the-backup');
  await run(await documented('online backup'), files);
  await register(database, 'newer');
  // Closing would empty the -wal file; kill -9 and a power cut do not.
  const killed = { DB: join(folder.path, 'killed.db'), BACKUP: files.BACKUP };
  for (const suffix of ['', '-wal']) await copyFile(files.DB + suffix, killed.DB + suffix);
  await database.close();
  return killed;
}

async function tokenIn(path: string): Promise<string | undefined> {
  const database = await openDatabase(`sqlite:${path}`);
  try {
    return (await createDeviceStore(database).find(account))?.token;
  } finally {
    await database.close();
  }
}

it('a backup that is restored as docs/operations.md says is what the next start finds', {
  skip: skipWithout('SQLite'),
}, async (t) => {
  const files = await prepare(t);
  assert.match(await run(await documented('restore, while the service is stopped'), files), /^ok$/m);
  assert.equal(await tokenIn(files.DB), 'of-the-backup');
});

it("a database that was deleted is restored for the owner of its directory alone, and the backup is root's alone", {
  skip: skipWithout('SQLite'),
}, async (t) => {
  const files = await prepare(t);
  const isRoot = process.getuid?.() === 0;
  if (isRoot) await chown(dirname(files.DB), ANOTHER_USER, ANOTHER_USER);
  await rm(files.DB);
  assert.match(await run(await documented('restore, while the service is stopped'), files), /^ok$/m);
  const [database, backup] = [await stat(files.DB), await stat(files.BACKUP)];
  assert.equal(database.mode & 0o777, 0o600);
  assert.equal(backup.mode & 0o777, 0o600);
  assert.equal(database.uid, isRoot ? ANOTHER_USER : process.getuid?.());
});

it('without removing the -wal file it would be undone: why the steps are as they are', {
  skip: skipWithout('SQLite'),
}, async (t) => {
  const files = await prepare(t);
  await copyFile(files.BACKUP, files.DB);
  const token = await tokenIn(files.DB).catch(() => 'unreadable');
  assert.notEqual(token, 'of-the-backup');
});
