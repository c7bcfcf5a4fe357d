import assert from 'node:assert/strict';
import { chmod, chown, copyFile, mkdir, mkdtemp, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { startTestService } from '../helpers/test-service.ts';

/** A service on a SQLite file in a folder of its own below another. */
async function startScene(t: TestContext, settings: Readonly<Record<string, string>> = {}) {
  const parent = await mkdtemp(join(tmpdir(), 'vialer-middleware-file-'));
  t.after(() => rm(parent, { recursive: true, force: true }));
  const folder = join(parent, 'data');
  await mkdir(folder);
  const file = join(folder, 'test.db');
  const service = await startTestService(t, { databaseUrl: `sqlite:${file}`, settings });
  const phone = await service.phone();
  const readiness = async () => {
    const answer = await fetch(`${service.url}/readyz`);
    return `${answer.status} ${await answer.text()}`;
  };
  const told = () => service.logged.filter(({ message }) => message.startsWith('not ready'));
  assert.match(await readiness(), /^200 .*"ready"/);
  return { service, phone, readiness, told, parent, folder, file };
}

type Scene = Awaited<ReturnType<typeof startScene>>;

const LOSSES: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'the file is deleted': ({ file }) => rm(file),
  'the file and its side files are deleted': async ({ file }) => {
    for (const suffix of ['', '-wal', '-shm']) await rm(file + suffix);
  },
  'its -wal file is deleted': ({ file }) => rm(`${file}-wal`),
  'its -shm file is deleted': ({ file }) => rm(`${file}-shm`),
  'its folder is deleted': ({ folder }) => rm(folder, { recursive: true }),
  'its folder is moved': ({ folder, parent }) => rename(folder, join(parent, 'elsewhere')),
  'a backup is moved over it': async ({ file }) => {
    await copyFile(file, `${file}.backup`);
    await rename(`${file}.backup`, file);
  },
  'another file is put in its place': async ({ file }) => {
    await rm(file);
    await writeFile(file, '');
  },
  'it is emptied': ({ file }) => truncate(file),
};

describe('a SQLite file that is lost while the service runs', () => {
  for (const [name, lose] of Object.entries(LOSSES)) {
    it(`${name}: no registration is confirmed, not ready, one line in the log`, async (t) => {
      const scene = await startScene(t);
      const { phone, readiness, told, service } = scene;
      await lose(scene);
      // At once, without anybody having looked.
      assert.equal((await phone.register()).status, 503);
      assert.match(
        await readiness(),
        /^503 .*"not ready".*deleted, moved, replaced or overwritten: bring it back, or restore a backup/,
      );
      assert.equal(await service.metric('mysql_health'), 0);
      assert.equal(await service.metric('vialer_middleware_readiness{subject="database"}'), 2);
      await until(() => told().length > 0, 'the log says so');
      assert.match(
        JSON.stringify(told()[0]?.fields),
        /was (deleted or moved|replaced by another file|overwritten or truncated) while it was open/,
      );
      assert.equal(told().length, 1);
    });
  }

  it('with DEVICE_CACHE_SECONDS it is not ready either: what is registered would be lost', async (t) => {
    const { file, readiness } = await startScene(t, { DEVICE_CACHE_SECONDS: '600' });
    await rm(file);
    assert.match(await readiness(), /^503 /);
  });

  it('nobody asks: the log says so within seconds', async (t) => {
    const { file, told } = await startScene(t);
    await rm(file);
    await until(() => told().length > 0, 'the log says so');
  });

  it('a folder that comes back, with what was written meanwhile, is used as before', async (t) => {
    const { folder, parent, phone, readiness, service } = await startScene(t);
    await rename(folder, join(parent, 'elsewhere'));
    assert.match(await readiness(), /^503 /);
    await rename(join(parent, 'elsewhere'), folder);
    assert.match(await readiness(), /^200 .*"ready"/);
    assert.equal((await phone.register()).status, 200);
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
  });
});

it('a directory that this user may not write in is named with what to do', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-file-'));
  const file = join(folder, 'test.db');
  await (await openDatabase(`sqlite:${file}`)).close();
  const isRoot = process.geteuid?.() === 0;
  t.after(async () => {
    if (isRoot) process.seteuid?.(0);
    await chmod(folder, 0o700);
    await rm(folder, { recursive: true, force: true });
  });
  if (isRoot) for (const path of [folder, file]) await chown(path, NOBODY, NOBODY);
  await chmod(folder, 0o500);
  // Root may write anywhere.
  if (isRoot) process.seteuid?.(NOBODY);
  await assert.rejects(openDatabase(`sqlite:${file}`), {
    message: `DATABASE_URL: cannot use ${file}: the file and its directory must be writable by this user`,
  });
});

const NOBODY = 65_534;
