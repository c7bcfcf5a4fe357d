import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { until } from '../../harness/until.ts';
import { COMPILE_CACHE } from '../helpers/compile-cache.ts';
import { startServiceProcess } from '../helpers/service-process.ts';

describe('the first and the last line', () => {
  it('say what runs, and by which signal it stopped', async (t) => {
    const service = await startServiceProcess(t);
    const line = service.lines().find(({ msg }) => msg === 'listening');
    assert.match(String(line?.['version']), /^\d+\.\d+\.\d+/);
    assert.equal(line?.['database'], service.databaseUrl);
    assert.match(String(line?.['accountAuth']), /^voipgrid \(http:\/\/127\.0\.0\.1:\d+\/\)$/);
    assert.equal(line?.['pbxAuth'], 'address');
    assert.equal(line?.['apps'], 'apns 1, gcm 0, android 1');
    assert.equal(line?.['redis'], 'none: this instance works alone');
    assert.equal(line?.['url'], service.url);
    service.process.kill('SIGTERM');
    assert.equal(await service.ended(), 0);
    const stopped = () => service.lines().at(-1)?.['msg'] === 'stopped';
    await until(stopped, 'the last line is read');
    const last = service.lines().at(-1);
    assert.deepEqual([last?.['msg'], last?.['level'], last?.['reason']], ['stopped', 'info', 'SIGTERM']);
  });

  it('without apps there is a warning, and a password of the database is nowhere', async (t) => {
    const { child, output } = await serve(t, { DATABASE_URL: 'postgres://user:s3cret-pass@127.0.0.1:1/db' });
    await until(() => output().includes('"listening"'), 'it listens without its database');
    assert.match(output(), /"database":"postgres:\/\/user@127\.0\.0\.1:1\/db"/);
    assert.ok(!output().includes('s3cret'));
    child.kill('SIGTERM');

    const empty = await serve(t, {});
    await until(() => empty.output().includes('"listening"'), 'it listens');
    assert.match(empty.output(), /"level":"warn".*there are no apps.*apps add/);
    empty.child.kill('SIGINT');
    await once(empty.child, 'close');
    assert.match(empty.output().trimEnd().split('\n').at(-1) ?? '', /"reason":"SIGINT","msg":"stopped"/);
  });

  it('a start that fails says why in its last line', async (t) => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    t.after(() => taken.close());
    const address = taken.address();
    assert.ok(typeof address === 'object' && address !== null);
    const { child, output } = await serve(t, { PORT: String(address.port) });
    const [code] = await once(child, 'close');
    assert.equal(code, 1);
    const lines = output()
      .split('\n')
      .filter((line) => line.startsWith('{'));
    const last: unknown = JSON.parse(lines.at(-1) ?? '');
    assert.ok(
      typeof last === 'object' && last !== null && 'msg' in last && 'reason' in last && 'level' in last,
    );
    assert.deepEqual([last.msg, last.level], ['stopped', 'error']);
    assert.match(
      String(last.reason),
      /The service could not start: 127\.0\.0\.1:\d+ is in use; set HOST or PORT/,
    );
  });
});

async function serve(
  t: { after(end: () => Promise<void>): void },
  settings: Readonly<Record<string, string>>,
) {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-test-'));
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...COMPILE_CACHE,
    DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
    PORT: '0',
    PROMETHEUS_PORT: '0',
    ...settings,
  };
  const child = spawn(
    ...owned(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'serve']),
    {
      env,
    },
  );
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
    await rm(folder, { recursive: true, force: true });
  });
  let text = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (part: string) => {
      text += part;
    });
  return { child, output: () => text };
}
