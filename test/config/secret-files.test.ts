import assert from 'node:assert/strict';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it, type TestContext } from 'node:test';
import { processSource, readConfig } from '../../src/config/config.ts';

/** Reads settings from this process's files. */
function read(env: Readonly<Record<string, string>>) {
  return readConfig({ ...processSource(), env });
}

function secretFile(t: TestContext, name: string, mode: number): string {
  const folder = mkdtempSync(join(tmpdir(), 'vialer-middleware-secrets-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, name);
  writeFileSync(path, 'pbx-secret-0123456789abcdef');
  chmodSync(path, mode);
  return path;
}

it('a file with a secret that every user of the machine may read is told of', (t) => {
  for (const [mode, told] of [
    [0o600, false],
    [0o640, false],
    [0o644, true],
    [0o604, true],
  ] as const) {
    const token = secretFile(t, 'token', mode);
    const database = secretFile(t, 'middleware.db', mode);
    const { warnings } = read({ PBX_TOKEN_FILE: token, DATABASE_URL: `sqlite:${database}` });
    const expected = [
      `PBX_TOKEN_FILE names ${token}, which every user of this machine may read; chmod o-rwx ${token}`,
      `DATABASE_URL names ${database}, which every user of this machine may read; chmod o-rwx ${database}`,
    ];
    assert.deepEqual(warnings, told ? expected : []);
  }
});

it('a database file that is yet to be made, and one of a server, are nobody’s to read', () => {
  for (const DATABASE_URL of ['sqlite:/nowhere/at/all.db', 'postgres://a:b@127.0.0.1/c'])
    assert.deepEqual(read({ DATABASE_URL }).warnings, []);
});
