import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { owned } from '../../harness/owned.ts';
import { until } from '../../harness/until.ts';
import { COMPILE_CACHE } from '../helpers/compile-cache.ts';

it('LOG_FORMAT=pretty shows a call in one line, without colour in a pipe', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'vialer-middleware-pretty-'));
  t.after(() => rm(folder, { recursive: true, force: true }));
  const env = {
    PATH: process.env['PATH'] ?? '',
    ...COMPILE_CACHE,
    DATABASE_URL: `sqlite:${join(folder, 'test.db')}`,
    PORT: '0',
    PROMETHEUS_PORT: '0',
    LOG_FORMAT: 'pretty',
    EVENT_LOOP_LIMIT: '0',
  };
  const child = spawn(
    ...owned(process.execPath, ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'serve']),
    {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const exited = once(child, 'exit');
  t.after(async () => {
    child.kill('SIGKILL');
    await exited;
  });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  const listening = /INFO: listening \{"url":"([^"]+)"/;
  await until(() => listening.test(text), 'the service listens', 60_000);
  const [, url = ''] = listening.exec(text) ?? [];
  const body = new URLSearchParams({ sip_user_id: '123456789', phonenumber: '0201' });
  await fetch(`${url}/api/incoming-call/`, { method: 'POST', body });
  const line = /^\[[\d:.]+\] INFO: call turned away: no-device \{.*"account":123456789.*\}$/m;
  await until(() => line.test(text), 'the line of the call');
  assert.ok(!text.includes('\u001b'));
});
