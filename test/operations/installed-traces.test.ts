import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** Prints how the log would tell of an error that is made by the code of `argv[1]`. */
const REPORTER = `
import { errorStack, errorWords } from 'vialer-middleware/dist/telemetry/describe-error.js';
import { dial } from 'vialer-middleware/dist/http2/dial.js';
import { openDatabase } from 'vialer-middleware/dist/storage/open-database.js';
import { migrate } from 'vialer-middleware/dist/storage/migrate.js';
import { readFile } from 'node:fs/promises';
const makers = {
  dial: (origin) => new Promise((_, reject) =>
    dial({ origin: new URL(origin), tls: undefined, timeoutMs: 5000 }, { opened: () => {}, failed: reject })),
  database: async (url) => migrate(await openDatabase(url)),
  file: (path) => readFile(path),
  bug: async () => openDatabase(undefined),
};
const [, , kind, argument] = process.argv;
await makers[kind](argument).catch((error) => {
  process.stdout.write(JSON.stringify({ words: errorWords(error), stack: errorStack(error) }));
  process.exit();
});
`;

describe('errors of an installed package', () => {
  let folder = '';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-installed-'));
    const installed = join(folder, 'node_modules', 'vialer-middleware');
    await mkdir(installed, { recursive: true });
    for (const name of await readdir('node_modules'))
      if (!name.startsWith('.'))
        await symlink(join(process.cwd(), 'node_modules', name), join(folder, 'node_modules', name));
    await cp('package.json', join(installed, 'package.json'));
    const typescript = dirname(createRequire(import.meta.url).resolve('typescript/package.json'));
    const output = ['--noCheck', '--outDir', join(installed, 'dist')];
    await run(process.execPath, [join(typescript, 'bin/tsc'), '-p', 'tsconfig.build.json', ...output]);
    await writeFile(join(folder, 'report.mjs'), REPORTER);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const report = async (kind: string, argument: string): Promise<{ words: string; stack: string }> => {
    const { stdout } = await run(process.execPath, [join(folder, 'report.mjs'), kind, argument], {
      cwd: folder,
    });
    const told: unknown = JSON.parse(stdout);
    assert.ok(typeof told === 'object' && told !== null && 'words' in told && 'stack' in told);
    return { words: String(told.words), stack: String(told.stack) };
  };

  it('TLS to a port without TLS: what OpenSSL says is whole', async (t) => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(
      0,
      '127.0.0.1',
    );
    await once(server, 'listening');
    t.after(() => server.close());
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { words } = await report('dial', `https://127.0.0.1:${address.port}`);
    assert.match(words, /error:0A00010B:SSL routines:\w+:wrong version number:\S+\.c:\d+/);
    assert.doesNotMatch(words, /hidden/);
  });

  it('a database that refuses: address and code are readable, its password is not there', async () => {
    const { words } = await report('database', 'postgres://user:s3cret-word@127.0.0.1:1/db');
    assert.match(words, /ECONNREFUSED 127\.0\.0\.1:1/);
    assert.doesNotMatch(words, /s3cret|hidden/);
  });

  it('a file that cannot be read: its whole path', async () => {
    const path = join(folder, 'AuthKey_ABC123DEFG-of-a-customer-with-a-rather-long-name.p8');
    const { words } = await report('file', path);
    assert.equal(words, `Error: ENOENT: no such file or directory, open '${path}' (ENOENT)`);
  });

  it('a bug: each line of the stack names a file and a line of it', async () => {
    const { words, stack } = await report('bug', '');
    assert.match(words, /^TypeError: /);
    const lines = stack.split('\n');
    assert.ok(lines.length >= 2, stack);
    assert.match(stack, /vialer-middleware\/dist\/storage\/open-database\.js:\d+:\d+/);
    for (const line of lines) assert.match(line, /(?:\.m?js|node:[\w/]+):\d+(?::\d+)?\)?$/);
    assert.doesNotMatch(stack, /hidden/);
  });
});
