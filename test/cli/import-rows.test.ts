import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { owned } from '../../harness/owned.ts';
import { until } from '../../harness/until.ts';
import { openReference } from '../../src/cli/import/reference-database.ts';
import { IOS, importSuite, lineOf, SEEN } from './import-scene.ts';

describe('import-reference of many, damaged and other rows', { skip: skipWithout('MariaDB') }, () => {
  const { server, reference, openScene } = importSuite();

  it('damaged rows are skipped with their reason, the others come', async (t) => {
    const { withHere, run } = await openScene(t);
    await reference().run('insert into app_app values (3, "wp8", "com.example.old", "x", "", null)');
    await reference().devices([
      { account: '', token: 'token-of-1', app: 1, seen: SEEN },
      { account: 'alice', token: 'token-of-2', app: 1, seen: SEEN },
      { account: '99', token: 'token-of-3', app: 1, seen: SEEN },
      { account: '123456781', token: '', app: 1, seen: SEEN },
      { account: '123456782', token: 'token-of 5', app: 1, seen: SEEN },
      { account: '123456783', token: 'token-of-6', app: 3, seen: SEEN },
      { account: '123456784', token: 'token-of-7', app: 1, seen: '2018-01-01' },
      { account: '0123456784', token: 'token-of-8', app: 1, seen: SEEN },
      { account: '123456785', token: 'token-of-9', app: 1, seen: '2999-01-01' },
    ]);
    const ended = await run('--apply');
    assert.equal(ended.code, 0, ended.all);
    assert.deepEqual(lineOf(ended, 'app_device'), [9, 2, 0, 0, 7], ended.stdout);
    assert.match(ended.stdout, /3 rows skipped: its sip_user_id is no account number/);
    assert.match(ended.stdout, /2 rows skipped: its token is no push token/);
    assert.match(ended.stdout, /1 row skipped: its app is not here: wp8 com\.example\.old/);
    const kept = await withHere((devices) => devices.list({ limit: 10 }));
    assert.deepEqual(
      kept.map(({ token }) => token),
      ['token-of-8', 'token-of-9'],
    );
  });

  it('a phone that the reference saw in the future comes once, and never in the place of one that registered here', async (t) => {
    const { withHere, run } = await openScene(t);
    await reference().devices([{ account: '123456785', token: 'token-of-9', app: 1, seen: '2999-01-01' }]);
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [1, 1, 0, 0, 0]);
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [1, 0, 0, 1, 0]);
    const here = { account: 123456785, platform: 'apns', appId: IOS, token: 'token-of-here' } as const;
    await withHere((devices) => devices.register(here, Date.now() - 60_000));
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [1, 0, 0, 0, 1]);
    assert.equal((await withHere((devices) => devices.find(123456785)))?.token, 'token-of-here');
  });

  it('5,000 devices come in pages, and go into each kind of database', async (t) => {
    const { run, cli } = await openScene(t);
    const devices = Array.from({ length: 5_000 }, (_, index) => ({
      account: String(200_000_000 + index),
      token: `token-of-${index}`,
      app: 1,
      seen: SEEN,
    }));
    await reference().devices(devices);
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [5_000, 5_000, 0, 0, 0]);
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [5_000, 0, 0, 5_000, 0]);
    const url = await server().createDatabase();
    const args = ['import-reference', '--cert-dir', join(cli.folder, 'local'), '--apply'];
    const settings = { REFERENCE_DATABASE_URL: reference().url, DATABASE_URL: url };
    await cli.migrate(url);
    assert.deepEqual(lineOf(await cli.run(args, settings), 'app_device'), [5_000, 5_000, 0, 0, 0]);
    await reference().run('update app_device set token = concat(token, "x")');
    assert.deepEqual(lineOf(await cli.run(args, settings), 'app_device'), [5_000, 0, 5_000, 0, 0]);
    const beside = { REFERENCE_DATABASE_URL: reference().url, DATABASE_URL: reference().url };
    await cli.migrate(reference().url);
    assert.deepEqual(lineOf(await cli.run(args, beside), 'app_device'), [5_000, 5_000, 0, 0, 0]);
  });

  it('response logs go into a file that a later run continues, also where an earlier one was cut off', async (t) => {
    const { cli, run } = await openScene(t);
    const file = join(cli.folder, 'logs.jsonl');
    const add = (seconds: number) =>
      reference().run(
        'insert into app_responselog values (null, "apns", ?, 1, "2019-01-02 03:04:05.678901")',
        [seconds],
      );
    for (let index = 0; index < 1_200; index += 1) await add(index / 100);
    await reference().run('insert into app_responselog values (null, "gcm", 77, 1, utc_timestamp(6))');
    const none = await run('--apply');
    assert.match(none.stdout, /response logs stay where they are/);
    assert.deepEqual(lineOf(await run('--response-logs', file), 'app_responselog'), [1_200, 1_200, 0, 0, 0]);
    await assert.rejects(stat(file), 'a dry run makes no file');
    const first = await run('--response-logs', file, '--apply');
    assert.deepEqual(lineOf(first, 'app_responselog'), [1_200, 1_200, 0, 0, 0]);
    assert.equal((await stat(file)).mode & 0o777, 0o600);
    const whole = await readFile(file, 'utf8');
    const lines = whole.trimEnd().split('\n');
    assert.equal(lines.length, 1_200);
    assert.deepEqual(JSON.parse(lines[7] ?? ''), {
      id: 8,
      date: '2019-01-02T03:04:05.678Z',
      platform: 'apns',
      roundtrip_seconds: 0.07,
      available: true,
    });
    assert.deepEqual(lineOf(await run('--response-logs', file, '--apply'), 'app_responselog')[1], 0);
    await writeFile(file, whole.slice(0, -40));
    assert.deepEqual(lineOf(await run('--response-logs', file, '--apply'), 'app_responselog')[1], 1);
    assert.equal(await readFile(file, 'utf8'), whole);
    await writeFile(file, 'something else\n');
    const other = await run('--response-logs', file, '--apply');
    assert.equal(other.code, 2);
    assert.equal(await readFile(file, 'utf8'), 'something else\n');
  });

  it('the reference is only read: a user who may do no more is enough', async (t) => {
    const { cli, certDir } = await openScene(t);
    await cli.migrate();
    const database = new URL(reference().url).pathname.slice(1);
    await reference().run(`create or replace user reader@'127.0.0.1' identified by 'secret'`);
    await reference().run(`grant select on ${database}.* to reader@'127.0.0.1'`);
    const url = Object.assign(new URL(reference().url), { username: 'reader', password: 'secret' }).href;
    const from = await cli.file('reference().url', `${url}\n`);
    const ended = await cli.run(['import-reference', '--from-file', from, '--cert-dir', certDir, '--apply']);
    assert.equal(ended.code, 0, ended.all);
  });

  it('a connection to the reference that is lost on the way is told as that, in a line', async (t) => {
    const opened = await openReference(reference().url);
    assert.equal((await opened.apps(0)).length, 2);
    await server().kill();
    t.after(() => server().start());
    await assert.rejects(opened.devices(undefined), {
      name: 'CommandFailed',
      message: /^The reference database: storage unavailable: the database server cannot be reached: .*ECONN/,
    });
    await opened.close();
  });

  it('what cannot work is told in a line, without the address', async (t) => {
    const { cli } = await openScene(t);
    const empty = await server().createDatabase();
    const wrong = Object.assign(new URL(reference().url), { password: 'hunter2' }).href;
    await reference().run('alter table app_device drop column remote_logging_id');
    const cases: readonly (readonly [readonly string[], RegExp, number])[] = [
      [[], /Give the reference database/, 2],
      [['--from', 'x', '--from-file', 'y'], /exclude each other/, 2],
      [['--from-file', '/none'], /cannot be read/, 2],
      [['--from', 'postgres://a:hunter2@b/c'], /must be mysql:/, 2],
      [['--from', 'mysql://hunter2'], /The address of the reference database/, 2],
      [['--from', wrong], /refuses this user, password/, 2],
      [['--from', empty], /it is not that of the reference/, 2],
      [['--from', reference().url], /lacks a column/, 2],
      [['--from', empty, '--cert-dir', '/none'], /is no folder/, 2],
    ];
    for (const [args, problem, code] of cases) {
      const ended = await cli.run(['import-reference', ...args]);
      assert.match(ended.all, problem);
      assert.equal(ended.code, code, ended.all);
      assert.doesNotMatch(ended.all, /hunter2|pass%2Fword|\n {4}at /);
    }
  });

  it('the password of --from does not stay in the list of processes', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    assert.ok(typeof address === 'object' && address !== null);
    const from = `mysql://user:hunter2@127.0.0.1:${address.port}/db`;
    const args = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'import-reference', '--from', from];
    const child = spawn(...owned(process.execPath, args), { stdio: 'ignore', env: {} });
    const exited = once(child, 'exit');
    t.after(async () => {
      child.kill('SIGKILL');
      await exited;
      silent.close();
    });
    await once(silent, 'connection');
    await until(
      async () => !(await readFile(`/proc/${child.pid}/cmdline`, 'utf8')).includes('hunter2'),
      'the arguments are gone',
    );
  });
});
