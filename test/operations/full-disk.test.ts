import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { promisify } from 'node:util';
import { until } from '../../harness/until.ts';
import { startServiceProcess } from '../helpers/service-process.ts';
import { mountSmallDisk } from '../helpers/small-disk.ts';
import { startTestService } from '../helpers/test-service.ts';
import { tempFolder } from '../storage/temp-folder.ts';

async function readinessAt(url: string): Promise<string> {
  const answer = await fetch(`${url}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

async function migrate(databaseUrl: string) {
  const arguments_ = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'migrate'];
  const env = { PATH: process.env['PATH'] ?? '', DATABASE_URL: databaseUrl };
  return promisify(execFile)(process.execPath, arguments_, { env }).then(
    () => 'migrated',
    (error: unknown) => (error instanceof Error && 'stderr' in error ? String(error.stderr) : ''),
  );
}

async function folderOn(t: TestContext) {
  const disk = mountSmallDisk(t);
  if (disk !== undefined) return { disk, folder: disk.path };
  const folder = await tempFolder();
  t.after(() => folder.remove());
  return { disk: undefined, folder: folder.path };
}

describe('a full disk under SQLite', () => {
  it('at a start: one line says so, with the path', async (t) => {
    const { disk, folder } = await folderOn(t);
    if (disk === undefined) return;
    const path = join(folder, 'new.db');
    disk.fill();
    for (const room of ['no byte', 'some pages']) {
      if (room === 'some pages') {
        // Enough for the file itself, not for its tables.
        disk.empty();
        execFileSync('fallocate', ['-l', '980K', join(folder, 'other')]);
      }
      const said = await migrate(`sqlite:${path}`);
      assert.match(said, /disk (or the database )?is full/, room);
      assert.ok(said.includes(path), said);
    }
  });

  it('while the service runs: calls ring, registrations are 503, /readyz says degraded; with room again all is well', async (t) => {
    const { disk, folder } = await folderOn(t);
    if (disk === undefined) return;
    const service = await startTestService(t, { databaseUrl: `sqlite:${join(folder, 'test.db')}` });
    const phone = await service.phone();
    disk.fill();
    // Nobody has registered since.
    await until(
      async () => /^200 .*"degraded".*cannot register: .*is full/.test(await readinessAt(service.url)),
      'the full disk shows',
    );
    assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
    assert.equal((await phone.register()).status, 503);
    disk.empty();
    await until(async () => (await phone.register()).status === 200, 'registrations are taken again');
    assert.match(await readinessAt(service.url), /^200 .*"ready"/);
  });

  it('where no mount is allowed as well: a process that may not make its files larger', async (t) => {
    const service = await startServiceProcess(t);
    const path = service.databaseUrl.slice('sqlite:'.length);
    const limit = (bytes: string) =>
      execFileSync('prlimit', ['--pid', String(service.process.pid), `--fsize=${bytes}:unlimited`]);
    const { token: authorization } = service.world.platform.addUser({
      account: 123_456_789,
      user: 'user@example.com',
      password: 'pw',
      token: 'platform-token',
    });
    const register = async (name: string) => {
      const answer = await fetch(`${service.url}/api/android-device/`, {
        method: 'POST',
        headers: { authorization },
        body: new URLSearchParams({
          sip_user_id: '123456789',
          token: 'fcm:token',
          app: 'com.example.phone',
          name,
        }),
      });
      return answer.status;
    };
    assert.equal(await register('before'), 201);
    limit(String(statSync(`${path}-wal`).size));
    assert.equal(await register('after'), 503);
    assert.match(await readinessAt(service.url), /^200 .*"degraded".*phones cannot register/);
    const call = await fetch(`${service.url}/api/incoming-call/`, {
      method: 'POST',
      body: new URLSearchParams({ sip_user_id: '123456789', phonenumber: '020', call_id: 'a' }),
      signal: AbortSignal.timeout(8_000),
    });
    // Nobody answers in this test; the phone was found and woken.
    assert.equal(call.headers.get('x-wake-outcome'), 'timed-out');
    limit('unlimited');
    assert.equal(await register('later'), 200);
    assert.match(await readinessAt(service.url), /^200 .*"ready"/);
  });
});
