import assert from 'node:assert/strict';
import { mkdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { sql } from 'kysely';
import { createDeviceProbe } from '../../src/devices/device-probe.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { tempFolder } from './temp-folder.ts';

function refusal(url: string): Promise<string> {
  return openDatabase(url).then(
    async (database) => {
      await database.close();
      return 'opened';
    },
    (error: unknown) => (error instanceof Error ? error.message : 'no error'),
  );
}

describe('opening a database', () => {
  let folder: Awaited<ReturnType<typeof tempFolder>>;
  before(async () => {
    folder = await tempFolder();
  });
  after(() => folder.remove());

  it('a new file and its folders are made for this user alone, side files included', async () => {
    const path = join(folder.path, 'new', 'deep', 'a.db');
    const database = await openDatabase(`sqlite:${path}`);
    await migrate(database);
    for (const file of [path, `${path}-wal`, `${path}-shm`]) {
      assert.equal((await stat(file)).mode & 0o777, 0o600, file);
    }
    assert.equal((await stat(join(folder.path, 'new', 'deep'))).mode & 0o077, 0);
    await database.close();
  });

  it('every commit is synced to the disk before it counts', async () => {
    const database = await openDatabase(`sqlite:${join(folder.path, 'sync.db')}`);
    const pragma = async (name: string) =>
      (await sql<Record<string, unknown>>`pragma ${sql.raw(name)}`.execute(database.kysely)).rows[0];
    assert.deepEqual({ ...(await pragma('journal_mode')) }, { journal_mode: 'wal' });
    assert.deepEqual({ ...(await pragma('synchronous')) }, { synchronous: 2 });
    assert.deepEqual({ ...(await pragma('foreign_keys')) }, { foreign_keys: 1 });
    assert.deepEqual({ ...(await pragma('busy_timeout')) }, { timeout: 0 });
    await database.close();
  });

  it('a database in memory makes no file', async () => {
    const database = await openDatabase('sqlite::memory:');
    await migrate(database);
    await createDeviceProbe(database).read();
    await database.close();
    await assert.rejects(stat(':memory:'), { code: 'ENOENT' });
  });

  it('a wrong address is refused in one line that names the setting', async () => {
    const file = join(folder.path, 'plain-file');
    const text = join(folder.path, 'text.db');
    await writeFile(file, 'x');
    await writeFile(text, 'this is a text and no database, whatever its name may say '.repeat(50));
    await mkdir(join(folder.path, 'folder'));
    const cases = [
      ['', /no scheme/],
      ['data/middleware.db', /no scheme/],
      ['sqlite:', /names no file/],
      ['sqlite:  ', /names no file/],
      ['sqlite:///var/lib/a.db', /without two slashes/],
      [`sqlite:${join(folder.path, 'folder')}`, /folder, not a file/],
      [`sqlite:${join(file, 'a.db')}`, /a part of the path is a file/],
      [`sqlite:${text}`, /not a SQLite database/],
      ['oracle://x', /"oracle" is not supported/],
    ] as const;
    for (const [url, expected] of cases) {
      const message = await refusal(url);
      assert.match(message, /^DATABASE_URL: [^\n]+$/, url);
      assert.match(message, expected, url);
    }
  });

  it('a refused address is not quoted where it can hold a password', async () => {
    for (const url of ['postgresql://me:hunter2@db/x', 'hunter2@db', 'hunter2 me:x', 'hunter2?:x']) {
      assert.doesNotMatch(await refusal(url), /hunter2/, url);
    }
  });

  it('a file that is no database is left as it is', async () => {
    const path = join(folder.path, 'mine.txt');
    await writeFile(path, 'something of mine, long enough to be looked at '.repeat(50));
    const before = await readFile(path);
    await refusal(`sqlite:${path}`);
    assert.deepEqual(await readFile(path), before);
  });

  it('closing twice is fine, and closing before any use closes the file', async () => {
    const path = join(folder.path, 'twice.db');
    const database = await openDatabase(`sqlite:${path}`);
    await database.close();
    await database.close();
    await assert.rejects(stat(`${path}-shm`), { code: 'ENOENT' });
    await assert.rejects(createDeviceProbe(database).read(), { name: 'StorageUnavailable', fault: 'closed' });
  });
});
