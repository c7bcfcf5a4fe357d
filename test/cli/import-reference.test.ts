import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { after, before, beforeEach, describe, type TestContext, test } from 'node:test';
import { createDeviceStore } from '../../src/devices/device-store.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { makeCertificate } from '../devices/make-certificate.ts';
import { type DatabaseServer, startDatabaseServer } from '../helpers/database-server.ts';
import { skipWithout } from '../helpers/find-server.ts';
import { createReferenceDatabase, type ReferenceDatabase } from '../helpers/reference-database.ts';
import { until } from '../helpers/until.ts';
import { type Cli, type CliRun, createCli } from './cli-fixture.ts';
import { appleKey, secretLines, serviceAccount } from './test-credentials.ts';

const YEAR_MS = 365 * 86_400_000;
const IOS = 'com.example.ios';
const ANDROID = 'com.example.android';
const SEEN = '2019-01-02 03:04:05.678901';
const SEEN_AT = Date.UTC(2019, 0, 2, 3, 4, 5, 678);

const certificate = (validMs: number): string => {
  const { certPem, keyPem } = makeCertificate({
    subject: { cn: `VoIP Services: ${IOS}`, uid: IOS },
    notBefore: new Date(Date.now() - YEAR_MS),
    notAfter: new Date(Date.now() + validMs),
    topics: [IOS, `${IOS}.voip`],
  });
  return certPem + keyPem;
};

describe('import-reference', { skip: skipWithout('MariaDB') }, () => {
  let server: DatabaseServer;
  let reference: ReferenceDatabase;
  before(async () => {
    server = await startDatabaseServer('MariaDB');
  });
  after(async () => {
    await reference.close();
    await server.close();
  });
  beforeEach(async () => {
    await reference?.close();
    reference = await createReferenceDatabase(await server.createDatabase());
    await reference.run('insert into app_app values (1, "apns", ?, "voip.pem", "", null)', [IOS]);
    await reference.run('insert into app_app values (2, "android", ?, "AIza-legacy-key", "", "")', [ANDROID]);
  });

  const openScene = async (t: Pick<TestContext, 'after'>) => {
    const cli = await createCli(t);
    const certDir = join(cli.folder, 'local');
    await mkdir(certDir);
    await writeFile(join(certDir, 'voip.pem'), certificate(YEAR_MS));
    const run = async (...args: readonly string[]): Promise<CliRun> => {
      const ended = await cli.run(['import-reference', '--cert-dir', certDir, ...args], {
        REFERENCE_DATABASE_URL: reference.url,
      });
      assert.doesNotMatch(ended.all, /pass%2Fword|token-of|AIza|\b[1-9]\d{8}\b/, 'nothing secret is told');
      return ended;
    };
    return { cli, certDir, run, withHere: withHere(cli) };
  };
  const withHere =
    (cli: Cli) =>
    async <T>(work: (store: ReturnType<typeof createDeviceStore>) => Promise<T>): Promise<T> => {
      const database = await openDatabase(cli.databaseUrl);
      try {
        return await work(createDeviceStore(database));
      } finally {
        await database.close();
      }
    };
  /** The numbers of a table's line: read, added, updated, unchanged, skipped. */
  const lineOf = ({ stdout }: CliRun, table: string): readonly number[] => {
    const line = stdout.split('\n').find((one) => one.startsWith(`${table} `)) ?? '';
    return line.split(/ +/).slice(1).map(Number);
  };

  test('a dry run tells what it would do and changes nothing; --apply does just that; again, nothing is left to do', async (t) => {
    const { cli, run, withHere } = await openScene(t);
    await reference.devices([
      { account: '123456789', token: 'token-of-a', app: 1, seen: SEEN, name: 'Zoë', sandbox: 1 },
      { account: '123456790', token: 'token-of-b', app: 2, seen: null },
    ]);
    const dry = await run();
    assert.equal(dry.code, 0, dry.all);
    assert.match(dry.stdout, /^Dry run, nothing was changed/);
    assert.deepEqual(lineOf(dry, 'app_app'), [2, 1, 0, 0, 1]);
    assert.deepEqual(lineOf(dry, 'app_device'), [2, 1, 0, 0, 1]);
    assert.deepEqual(await cli.storedApps(), {});

    const applied = await run('--apply');
    assert.equal(applied.code, 0, applied.all);
    assert.deepEqual(lineOf(applied, 'app_device'), [2, 1, 0, 0, 1]);
    assert.match(applied.stdout, /its app is not here: android com\.example\.android/);
    assert.match(applied.stdout, /apps add --platform android --app-id com\.example\.android --fcm-service/);
    assert.deepEqual(await cli.storedApps(), { [`apns ${IOS}`]: 'apns-certificate' });
    const phone = await withHere((devices) => devices.find(123456789));
    assert.deepEqual(
      [phone?.token, phone?.name, phone?.sandbox, phone?.registeredAt, phone?.lastSeenAt, phone?.appId],
      ['token-of-a', 'Zoë', true, SEEN_AT, SEEN_AT, IOS],
    );

    const account = await cli.file('account.json', serviceAccount());
    const add = ['apps', 'add', '--platform', 'android', '--app-id', ANDROID, '--fcm-service-account'];
    assert.equal((await cli.run([...add, account])).code, 0);
    const complete = await run('--apply');
    assert.deepEqual(lineOf(complete, 'app_app'), [2, 0, 0, 2, 0]);
    assert.deepEqual(lineOf(complete, 'app_device'), [2, 1, 0, 1, 0]);
    assert.equal((await withHere((devices) => devices.find(123456790)))?.registeredAt, 0);

    const again = await run('--apply');
    assert.deepEqual(lineOf(again, 'app_app'), [2, 0, 0, 2, 0]);
    assert.deepEqual(lineOf(again, 'app_device'), [2, 0, 0, 2, 0]);
    assert.doesNotMatch(again.stdout, /skipped: /);
  });

  test('what changed there is taken over, what registered here later is not', async (t) => {
    const { run, withHere } = await openScene(t);
    const accounts = [123456781, 123456782, 123456783];
    await reference.devices(
      accounts.map((account) => ({
        account: String(account),
        token: `token-of-${account}`,
        app: 1,
        seen: SEEN,
      })),
    );
    await run('--apply');
    const here = { platform: 'apns', appId: IOS, pushProfile: 'once' } as const;
    await withHere(async (devices) => {
      await devices.register({ ...here, account: 123456782, token: 'token-of-here' }, SEEN_AT + 60_000);
      await devices.register({ ...here, account: 123456783, token: 'token-of-123456783' }, SEEN_AT + 60_000);
    });
    await reference.run(
      'update app_device set token = "token-of-new", last_seen = "2019-01-02 03:04:35" where sip_user_id in ("123456781", "123456782")',
    );
    await reference.run('update app_device set last_seen = "2019-02-03" where sip_user_id = "123456783"');
    const second = await run('--apply');
    assert.deepEqual(lineOf(second, 'app_device'), [3, 0, 2, 0, 1], second.all);
    assert.match(second.stdout, /1 row skipped: the account registered here since/);
    const [one, two, three] = await withHere((devices) =>
      Promise.all(accounts.map((each) => devices.find(each))),
    );
    assert.deepEqual([one?.token, one?.registeredAt], ['token-of-new', Date.UTC(2019, 0, 2, 3, 4, 35)]);
    assert.deepEqual([two?.token, two?.pushProfile], ['token-of-here', 'once']);
    assert.deepEqual([three?.pushProfile, three?.registeredAt], ['once', Date.UTC(2019, 1, 3)]);
  });

  test('certificates: a longer one replaces, a shorter one and an Apple key do not; files outside the folder are not read', async (t) => {
    const { cli, certDir, run } = await openScene(t);
    await run('--apply');
    await writeFile(join(certDir, 'voip.pem'), certificate(YEAR_MS / 2));
    assert.match((await run('--apply')).stdout, /the certificate that it has here is valid for longer/);
    const longer = certificate(2 * YEAR_MS);
    await writeFile(join(certDir, 'voip.pem'), longer);
    const replaced = await run('--apply');
    assert.deepEqual(lineOf(replaced, 'app_app').slice(1, 3), [0, 1]);
    const key = await cli.file('key.p8', appleKey());
    const ids = ['--apns-key-id', 'ABCDE12345', '--apns-team-id', 'FGHIJ67890'];
    const rotated = await cli.run([
      'apps',
      'add',
      '--platform',
      'apns',
      '--app-id',
      IOS,
      '--apns-key',
      key,
      ...ids,
    ]);
    assert.equal(rotated.code, 0, rotated.all);
    await writeFile(join(certDir, 'voip.pem'), certificate(3 * YEAR_MS));
    await run('--apply');
    assert.deepEqual(await cli.storedApps(), { [`apns ${IOS}`]: 'apns-key' });
    await cli.file('outside.pem', longer);
    await symlink(join(cli.folder, 'outside.pem'), join(certDir, 'link.pem'));
    await mkdir(join(certDir, 'folder'));
    await writeFile(join(certDir, 'damaged.pem'), 'no certificate');
    await writeFile(join(certDir, 'expired.pem'), certificate(-1_000));
    const bad: readonly (readonly [string, RegExp])[] = [
      ['../outside.pem', /names no file below --cert-dir/],
      [join(cli.folder, 'outside.pem'), /names no file below --cert-dir/],
      ['link.pem', /names no file below --cert-dir/],
      ['', /names no file below --cert-dir/],
      ['folder', /cannot be read/],
      ['none.pem', /is not in --cert-dir/],
      ['damaged.pem', /no certificate in PEM form/],
      ['expired.pem', /expired on/],
    ];
    for (const [pushKey, problem] of bad) {
      await reference.run('update app_app set app_id = ?, push_key = ? where id = 1', [`${IOS}2`, pushKey]);
      const ended = await run();
      assert.match(ended.stdout, problem, pushKey);
      assert.equal(lineOf(ended, 'app_app')[1], 0);
      for (const line of secretLines(longer)) assert.ok(!ended.all.includes(line));
    }
  });

  test('damaged rows are skipped with their reason, the others come', async (t) => {
    const { cli, run } = await openScene(t);
    await reference.run('insert into app_app values (3, "wp8", "com.example.old", "x", "", null)');
    await reference.devices([
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
    assert.match(ended.stdout, /2 rows skipped: its token is empty or holds a space/);
    assert.match(ended.stdout, /1 row skipped: its app is not here: wp8 com\.example\.old/);
    const kept = await withHere(cli)((devices) => devices.list({ limit: 10 }));
    assert.deepEqual(
      kept.map(({ token }) => token),
      ['token-of-8', 'token-of-9'],
    );
    assert.ok((kept[1]?.registeredAt ?? 0) <= Date.now());
  });

  test('5,000 devices come in pages, and go into each kind of database', async (t) => {
    const { run, cli } = await openScene(t);
    const devices = Array.from({ length: 5_000 }, (_, index) => ({
      account: String(200_000_000 + index),
      token: `token-of-${index}`,
      app: 1,
      seen: SEEN,
    }));
    await reference.devices(devices);
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [5_000, 5_000, 0, 0, 0]);
    assert.deepEqual(lineOf(await run('--apply'), 'app_device'), [5_000, 0, 0, 5_000, 0]);
    const url = await server.createDatabase();
    const args = ['import-reference', '--cert-dir', join(cli.folder, 'local'), '--apply'];
    const settings = { REFERENCE_DATABASE_URL: reference.url, DATABASE_URL: url };
    assert.deepEqual(lineOf(await cli.run(args, settings), 'app_device'), [5_000, 5_000, 0, 0, 0]);
    await reference.run('update app_device set token = concat(token, "x")');
    assert.deepEqual(lineOf(await cli.run(args, settings), 'app_device'), [5_000, 0, 5_000, 0, 0]);
    const same = Object.assign(new URL(reference.url)).href;
    const beside = { REFERENCE_DATABASE_URL: same, DATABASE_URL: same };
    assert.deepEqual(lineOf(await cli.run(args, beside), 'app_device'), [5_000, 5_000, 0, 0, 0]);
  });

  test('response logs go into a file that a later run continues, also where an earlier one was cut off', async (t) => {
    const { cli, run } = await openScene(t);
    const file = join(cli.folder, 'logs.jsonl');
    const add = (seconds: number) =>
      reference.run('insert into app_responselog values (null, "apns", ?, 1, "2019-01-02 03:04:05.678901")', [
        seconds,
      ]);
    for (let index = 0; index < 1_200; index += 1) await add(index / 100);
    await reference.run('insert into app_responselog values (null, "gcm", 77, 1, utc_timestamp(6))');
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

  test('the reference is only read: a user who may do no more is enough', async (t) => {
    const { cli, certDir } = await openScene(t);
    const database = new URL(reference.url).pathname.slice(1);
    await reference.run(`create or replace user reader@'127.0.0.1' identified by 'secret'`);
    await reference.run(`grant select on ${database}.* to reader@'127.0.0.1'`);
    const url = Object.assign(new URL(reference.url), { username: 'reader', password: 'secret' }).href;
    const from = await cli.file('reference.url', `${url}\n`);
    const ended = await cli.run(['import-reference', '--from-file', from, '--cert-dir', certDir, '--apply']);
    assert.equal(ended.code, 0, ended.all);
  });

  test('what cannot work is told in a line, without the address', async (t) => {
    const { cli } = await openScene(t);
    const empty = await server.createDatabase();
    const wrong = Object.assign(new URL(reference.url), { password: 'hunter2' }).href;
    await reference.run('alter table app_device drop column remote_logging_id');
    const cases: readonly (readonly [readonly string[], RegExp, number])[] = [
      [[], /Give the reference database/, 2],
      [['--from', 'x', '--from-file', 'y'], /exclude each other/, 2],
      [['--from-file', '/none'], /cannot be read/, 2],
      [['--from', 'postgres://a:hunter2@b/c'], /must be mysql:/, 2],
      [['--from', 'mysql://hunter2'], /The address of the reference database/, 2],
      [['--from', wrong], /refuses this user, password/, 2],
      [['--from', empty], /it is not that of the reference/, 2],
      [['--from', reference.url], /lacks a column/, 2],
      [['--from', empty, '--cert-dir', '/none'], /is no folder/, 2],
    ];
    for (const [args, problem, code] of cases) {
      const ended = await cli.run(['import-reference', ...args]);
      assert.match(ended.all, problem);
      assert.equal(ended.code, code, ended.all);
      assert.doesNotMatch(ended.all, /hunter2|pass%2Fword|\n {4}at /);
    }
  });

  test('the password of --from does not stay in the list of processes', async (t) => {
    const silent = createServer().listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const address = silent.address();
    assert.ok(typeof address === 'object' && address !== null);
    const from = `mysql://user:hunter2@127.0.0.1:${address.port}/db`;
    const args = ['--disable-warning=ExperimentalWarning', 'src/main.ts', 'import-reference', '--from', from];
    const child = spawn(process.execPath, args, { stdio: 'ignore', env: {} });
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
