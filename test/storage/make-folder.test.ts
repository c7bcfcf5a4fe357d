import assert from 'node:assert/strict';
import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { makeFolder } from '../../src/lib/make-folder.ts';
import { openDatabase } from '../../src/storage/open-database.ts';

it('a folder is made with all that is missing above it, for this user alone', async (t) => {
  const root = await mkdtemp(join(tmpdir(), 'vialer-middleware-test-'));
  t.after(() => rm(root, { recursive: true, force: true }));
  const path = join(root, 'a', 'b', 'c');
  await makeFolder(path);
  await makeFolder(path);
  assert.equal((await stat(path)).mode & 0o777, 0o700);
  await writeFile(join(root, 'file'), '');
  await assert.rejects(makeFolder(join(root, 'file')), { code: 'EEXIST' });
  await assert.rejects(makeFolder(join(root, 'file', 'x')), { code: 'ENOTDIR' });
});

it('a place where no folder can be made is one clear line, not an endless try', async () => {
  await assert.rejects(
    openDatabase('sqlite:/proc/nope/x.db'),
    /cannot use \/proc\/nope\/x\.db: its folder cannot be made/,
  );
});
