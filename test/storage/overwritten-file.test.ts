import assert from 'node:assert/strict';
import { copyFile, truncate, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { describe, it, type TestContext } from 'node:test';
import { watchSqliteFile } from '../../src/storage/sqlite/file-watch.ts';
import { tempFolder } from './temp-folder.ts';

const FILL = 'insert into pages select zeroblob(4000) from generate';
const MANY = `with recursive generate(n) as (select 1 union all select n + 1 from generate where n < 1100) ${FILL}`;

/** A database of ours with a backup of a moment ago, another program that uses it, and the watch. */
async function startScene(t: TestContext) {
  const folder = await tempFolder();
  t.after(() => folder.remove());
  const path = join(folder.path, 'live.db');
  const open = (): DatabaseSync => {
    const database = new DatabaseSync(path);
    database.exec('pragma synchronous = off');
    t.after(() => database.close());
    return database;
  };
  const ours = open();
  ours.exec('pragma journal_mode = wal; create table pages (page blob)');
  const rival = open();
  const backup = join(folder.path, 'backup.db');
  rival.exec(`vacuum into '${backup}'`);
  ours.exec('insert into pages values (zeroblob(4000))');
  const watch = watchSqliteFile(path);
  t.after(() => watch.close());
  return { path, backup, ours, rival, loss: watch.loss };
}

type Scene = Awaited<ReturnType<typeof startScene>>;

const LEGITIMATE: Readonly<Record<string, (scene: Scene) => void>> = {
  'our own commits with a checkpoint': ({ ours }) => ours.exec(MANY),
  'a commit of another program': ({ rival }) => rival.exec('insert into pages values (1)'),
  'a commit of another program with a checkpoint': ({ rival }) => rival.exec(MANY),
  'a checkpoint that another program asks for': ({ rival }) => rival.exec('pragma wal_checkpoint(truncate)'),
  'a checkpoint and what is committed after it': ({ ours, rival }) => {
    rival.exec('pragma wal_checkpoint(truncate)');
    ours.exec('insert into pages values (2)');
    rival.exec('vacuum');
  },
  'the file is compacted': ({ ours, rival }) => {
    ours.exec(MANY);
    ours.exec('delete from pages');
    rival.exec('vacuum');
    rival.exec('pragma wal_checkpoint(truncate)');
  },
};

const FOREIGN: Readonly<Record<string, (scene: Scene) => Promise<void>>> = {
  'a backup is copied over the file': ({ backup, path }) => copyFile(backup, path),
  'the file is emptied': ({ path }) => truncate(path),
  'the file is cut to a part': ({ path }) => truncate(path, 4_096),
  'the -wal file is emptied': ({ path }) => truncate(`${path}-wal`),
  'the -wal file is emptied, and there is another commit': async ({ path, ours }) => {
    await truncate(`${path}-wal`);
    ours.exec('insert into pages values (4)');
  },
  'the time of the file is changed': ({ path }) => utimes(path, new Date(), new Date(1_000)),
};

describe('a SQLite file that is written to in place', () => {
  for (const [name, write] of Object.entries(LEGITIMATE)) {
    it(`${name}: it is as it should be`, async (t) => {
      const scene = await startScene(t);
      for (const _ of [1, 2, 3]) {
        write(scene);
        assert.equal(scene.loss(), undefined);
      }
    });
  }
  for (const [name, write] of Object.entries(FOREIGN)) {
    it(`${name}: what is committed does not last`, async (t) => {
      const scene = await startScene(t);
      scene.ours.exec(MANY);
      scene.ours.exec('insert into pages values (3)');
      assert.equal(scene.loss(), undefined);
      await write(scene);
      const loss = scene.loss();
      assert.equal(loss?.fault, 'replaced');
      assert.ok(loss.cause instanceof Error);
      assert.match(loss.cause.message, /\/live\.db(-wal)? was overwritten or truncated while it was open$/);
      assert.ok(scene.loss(), 'it stays so');
    });
  }

  it('a file system that hides the -shm file gives no alarm', async (t) => {
    const folder = await tempFolder();
    t.after(() => folder.remove());
    const path = join(folder.path, 'live.db');
    for (const suffix of ['', '-wal', '-shm']) await writeFile(`${path}${suffix}`, Buffer.alloc(32_768));
    const watch = watchSqliteFile(path);
    t.after(() => watch.close());
    await utimes(path, new Date(), new Date(1_000));
    assert.equal(watch.loss(), undefined);
  });
});
