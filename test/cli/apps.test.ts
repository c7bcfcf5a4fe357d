import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { createCli } from './cli-fixture.ts';
import { appleKey, secretLines, serviceAccount } from './test-credentials.ts';

const APP = 'com.example.phone';
const IDS = ['--apns-key-id', 'ABCDE12345', '--apns-team-id', 'FGHIJ67890'];
const APNS = ['apps', 'add', '--platform', 'apns', '--app-id', APP];
const ANDROID = ['apps', 'add', '--platform', 'android', '--app-id', APP];

describe('apps', () => {
  it('each kind of credential is stored, listed without its secrets, and counted with its devices', async (t) => {
    const cli = await createCli(t);
    const ca = createThrowAwayCa();
    const key = appleKey();
    const account = serviceAccount();
    const issued = ca.issueClient({ commonName: 'com.example.cert' });
    const keyFile = await cli.file('AuthKey.p8', key);
    const accountFile = await cli.file('account.json', account);
    const certFile = await cli.file('cert.pem', issued.certificate);
    const certKeyFile = await cli.file('cert.key', issued.privateKey);

    const runs = [
      await cli.run([...APNS, '--apns-key', keyFile, ...IDS]),
      await cli.run([...ANDROID, '--fcm-service-account', accountFile]),
      await cli.run([
        ...['apps', 'add', '--platform', 'apns', '--app-id', 'com.example.cert'],
        ...['--apns-cert', certFile, '--apns-cert-key', certKeyFile],
      ]),
    ];
    assert.deepEqual(
      runs.map(({ code, stderr }) => [code, stderr]),
      [
        [0, ''],
        [0, ''],
        [0, 'Note: the certificate is for com.example.cert.\n'],
      ],
    );
    assert.match(
      runs[0]?.stdout ?? '',
      /^Added the apns app com\.example\.phone: APNs key ABCDE12345 of team FGHIJ67890/,
    );
    await cli.register({ account: 123456789, platform: 'apns', appId: APP, token: 'ab'.repeat(32) });

    const listed = await cli.run(['apps', 'list']);
    const json = await cli.run(['apps', 'list', '--json']);
    assert.equal(listed.code, 0);
    assert.match(listed.stdout, /^apns +com\.example\.phone +1 +never +APNs key ABCDE12345/m);
    const rows: unknown = JSON.parse(json.stdout);
    assert.ok(Array.isArray(rows));
    assert.deepEqual(
      rows.map(({ platform, appId, kind, devices }) => ({ platform, appId, kind, devices })),
      [
        { platform: 'android', appId: APP, kind: 'fcm-service-account', devices: 0 },
        { platform: 'apns', appId: 'com.example.cert', kind: 'apns-certificate', devices: 0 },
        { platform: 'apns', appId: APP, kind: 'apns-key', devices: 1 },
      ],
    );
    assert.ok(Date.parse(rows[1].expiresAt) > Date.now());

    const printed = [...runs, listed, json].map(({ all }) => all).join('');
    const secrets = [key, account, issued.privateKey].flatMap(secretLines);
    assert.ok(secrets.length > 20);
    for (const secret of secrets) assert.ok(!printed.includes(secret));
  });

  it('adding a known app replaces its credential, says so, and keeps its devices', async (t) => {
    const cli = await createCli(t);
    const first = await cli.file('a.p8', appleKey());
    const ca = createThrowAwayCa();
    const issued = ca.issueClient({ commonName: APP });
    const second = await cli.file('b.pem', issued.certificate + issued.privateKey);
    assert.equal((await cli.run([...APNS, '--apns-key', first, ...IDS])).code, 0);
    await cli.register({ account: 123456789, platform: 'apns', appId: APP, token: 'ab'.repeat(32) });

    const replaced = await cli.run([...APNS, '--apns-cert', second]);
    assert.equal(replaced.code, 0);
    assert.match(replaced.stdout, /^Replaced the credential of the apns app com\.example\.phone/);
    assert.match(replaced.stdout, /^It keeps 1 registered device\.$/m);
    assert.deepEqual(await cli.storedApps(), { [`apns ${APP}`]: 'apns-certificate' });
    assert.equal((await cli.run(['devices', 'show', '123456789'])).code, 0);
  });

  it('a certificate for another app is stored with a note, one that is over is refused', async (t) => {
    const cli = await createCli(t);
    const ca = createThrowAwayCa();
    const other = ca.issueClient({ commonName: 'com.example.other' });
    const over = ca.issueClient({ commonName: APP, notAfter: new Date(Date.now() - 86_400_000) });
    const otherFile = await cli.file('other.pem', other.certificate + other.privateKey);
    const overFile = await cli.file('over.pem', over.certificate + over.privateKey);

    const warned = await cli.run([...APNS, '--apns-cert', otherFile]);
    assert.equal(warned.code, 0);
    assert.match(
      warned.stderr,
      /^Note: the certificate is for com\.example\.other, not for com\.example\.phone\.$/m,
    );
    const refused = await cli.run([...APNS, '--apns-cert', overFile]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /^--apns-cert: the certificate expired on \d{4}-\d\d-\d\d\.\n$/);
  });

  it('a wrong credential ends the command with one line, and nothing is stored', async (t) => {
    const cli = await createCli(t);
    const junk = await cli.file('junk.txt', 'hunter2');
    const runs = await Promise.all([
      cli.run([...APNS, '--apns-key', junk, ...IDS]),
      cli.run([...APNS, '--apns-key', 'nowhere.p8', ...IDS]),
      cli.run(['apps', 'add', '--platform', 'apns', '--app-id', `${APP}.voip`, '--apns-key', junk, ...IDS]),
      cli.run(['apps', 'add', '--platform', 'apns', '--app-id', 'a b', '--apns-key', junk, ...IDS]),
      cli.run(['apps', 'add', '--platform', 'apns']),
      cli.run(['apps', 'add', '--platform', 'windows', '--app-id', APP]),
    ]);
    const expected = [
      [2, /^--apns-key: .*no private key[^\n]*\n$/],
      [2, /^--apns-key: cannot read "nowhere\.p8": there is no such file\.\n$/],
      [2, /^--app-id must be the bundle id itself[^\n]*\n$/],
      [2, /^--app-id must be 1 to 255[^\n]*\n$/],
      [2, /^error: required option '--app-id <id>' not specified\n/],
      [
        2,
        /^error: option '--platform <platform>' argument 'windows' is invalid\. Allowed choices are apns, gcm, android\.\n/,
      ],
    ] as const;
    runs.forEach(({ code, stdout, stderr }, at) => {
      assert.deepEqual([code, stdout], [expected[at]?.[0], '']);
      assert.match(stderr, expected[at]?.[1] ?? /missing/);
      assert.ok(!stderr.includes('hunter2'));
    });
    assert.deepEqual(await cli.storedApps(), {});
  });

  it('a stored credential that cannot be read is one line, and adding the app again heals it', async (t) => {
    const cli = await createCli(t);
    const accountFile = await cli.file('account.json', serviceAccount());
    const add = [...ANDROID, '--fcm-service-account', accountFile];
    assert.equal((await cli.run(add)).code, 0);
    await cli.spoilCredentials();
    const listed = await cli.run(['apps', 'list']);
    assert.deepEqual([listed.code, listed.stdout], [1, '']);
    assert.match(
      listed.stderr,
      /^the stored credential of the android app com\.example\.phone cannot be read: [^\n]*\n$/,
    );
    assert.ok(!listed.all.includes('hunter2'));
    assert.equal((await cli.run(add)).code, 0);
    assert.equal((await cli.run(['apps', 'list'])).code, 0);
  });

  it('an app with devices is only removed with --force, and its devices with it', async (t) => {
    const cli = await createCli(t);
    const accountFile = await cli.file('account.json', serviceAccount());
    assert.equal((await cli.run([...ANDROID, '--fcm-service-account', accountFile])).code, 0);
    await cli.register({ account: 123456789, platform: 'android', appId: APP, token: 'fcm:token' });
    const remove = ['apps', 'remove', '--platform', 'android', '--app-id', APP];

    const kept = await cli.run(remove);
    assert.deepEqual([kept.code, kept.stdout], [1, '']);
    assert.match(kept.stderr, /^The android app com\.example\.phone has 1 registered device; .*--force\.\n$/);
    const removed = await cli.run([...remove, '--force']);
    assert.deepEqual([removed.code, removed.stderr], [0, '']);
    assert.match(
      removed.stdout,
      /^Removed the android app com\.example\.phone and its 1 registered device\.\n$/,
    );
    const again = await cli.run(remove);
    assert.equal(again.code, 1);
    assert.match(again.stderr, /^There is no android app com\.example\.phone\./);
    assert.equal((await cli.run(['devices', 'show', '123456789'])).code, 1);
  });
});
