import assert from 'node:assert/strict';
import { mkdir, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { ANDROID, certificate, IOS, importSuite, lineOf, SEEN, SEEN_AT, YEAR_MS } from './import-scene.ts';
import { appleKey, secretLines, serviceAccount } from './test-credentials.ts';

describe('import-reference', { skip: skipWithout('MariaDB') }, () => {
  const { reference, openScene } = importSuite();

  it('a dry run tells what it would do and changes nothing; --apply does just that; again, nothing is left to do', async (t) => {
    const { cli, run, withHere } = await openScene(t);
    await reference().devices([
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

  it('a dry run makes neither a file nor a table, also in the database of the reference itself', async (t) => {
    const { cli, run } = await openScene(t);
    await reference().devices([{ account: '123456789', token: 'token-of-a', app: 1, seen: SEEN }]);
    const here = await run();
    assert.deepEqual(lineOf(here, 'app_device'), [1, 1, 0, 0, 0], here.all);
    await assert.rejects(stat(cli.databaseUrl.slice('sqlite:'.length)), { code: 'ENOENT' });
    const args = ['import-reference', '--cert-dir', join(cli.folder, 'local')];
    const beside = { REFERENCE_DATABASE_URL: reference().url, DATABASE_URL: reference().url };
    const there = await cli.run(args, beside);
    assert.deepEqual(lineOf(there, 'app_device'), [1, 1, 0, 0, 0], there.all);
    assert.deepEqual(await reference().tables(), ['app_app', 'app_device', 'app_responselog']);
  });

  it('what changed there is taken over, what registered here later is not', async (t) => {
    const { run, withHere } = await openScene(t);
    const accounts = [123456781, 123456782, 123456783];
    await reference().devices(
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
    await reference().run(
      'update app_device set token = "token-of-new", last_seen = "2019-01-02 03:04:35" where sip_user_id in ("123456781", "123456782")',
    );
    await reference().run('update app_device set last_seen = "2019-02-03" where sip_user_id = "123456783"');
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

  it('certificates: a longer one replaces, a shorter one and an Apple key do not; files outside the folder are not read', async (t) => {
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
      ['none.pem', /"none\.pem", its push_key, is not in --cert-dir/],
      ['damaged.pem', /no certificate in PEM form/],
      ['expired.pem', /expired on/],
    ];
    for (const [pushKey, problem] of bad) {
      await reference().run('update app_app set app_id = ?, push_key = ? where id = 1', [`${IOS}2`, pushKey]);
      const ended = await run();
      assert.match(ended.stdout, problem, pushKey);
      assert.equal(lineOf(ended, 'app_app')[1], 0);
      for (const line of secretLines(longer)) assert.ok(!ended.all.includes(line));
    }
  });
});
