import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { Platform } from '../../src/apps/platform.ts';
import { type CredentialOptions, readCredential } from '../../src/cli/apps/read-credential.ts';
import { CommandFailed } from '../../src/cli/kit/command-context.ts';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { createCli } from './cli-fixture.ts';
import { appleKey, serviceAccount } from './test-credentials.ts';

const APP = 'com.example.phone';
const IDS = { apnsKeyId: 'ABCDE12345', apnsTeamId: 'FGHIJ67890' };

async function refusal(platform: Platform, options: CredentialOptions): Promise<readonly [number, string]> {
  try {
    await readCredential(options, platform, APP, Date.now());
  } catch (error) {
    if (error instanceof CommandFailed) return [error.exitCode, error.message];
    throw error;
  }
  return [0, 'accepted'];
}

describe('the credential that the options of apps add name', () => {
  it('a wrong one is refused in one line that names the option and quotes nothing of the file', async (t) => {
    const { file, folder } = await createCli(t);
    const issued = createThrowAwayCa().issueClient({ commonName: APP });
    const key = await file('key.p8', appleKey());
    const cert = await file('cert.pem', issued.certificate);
    const account = await file('account.json', serviceAccount());
    const der = join(folder, 'it is $&.der');
    await writeFile(der, Buffer.from(appleKey().replace(/-----.*-----|\n/g, ''), 'base64'));
    const junk = await file('junk.txt', 'hunter2');
    const huge = await file('huge.txt', 'x'.repeat(300_000));
    const cases: readonly (readonly [Platform, CredentialOptions, number, RegExp])[] = [
      ['apns', { apnsKey: junk, ...IDS }, 2, /^--apns-key: .*no private key/],
      ['apns', { apnsKey: key, ...IDS, apnsKeyId: 'short' }, 2, /^--apns-key: .*key id/],
      ['apns', { apnsCert: cert }, 2, /^--apns-cert: .*no private key.*; give .* with --apns-cert-key\.$/],
      [
        'apns',
        { apnsKey: der, ...IDS },
        2,
        /^--apns-key: .*"openssl pkey -inform DER -in '[^']*\/it is \$&\.der' -out/,
      ],
      [
        'apns',
        { apnsCert: cert, apnsCertKey: der },
        2,
        /^--apns-cert-key: .* -in '[^']*\/it is \$&\.der' -out/,
      ],
      ['apns', { apnsCert: cert, apnsCertKey: key }, 2, /^--apns-cert: the private key does not belong/],
      ['android', { fcmServiceAccount: junk }, 2, /^--fcm-service-account: .*JSON/],
      ['apns', { apnsKey: '', ...IDS }, 2, /^--apns-key: cannot read "": there is no such file/],
      ['apns', { apnsCert: folder }, 2, /^--apns-cert: cannot read ".*": this is a folder/],
      ['apns', { apnsCert: cert, apnsCertKey: 'no' }, 2, /^--apns-cert-key: cannot read "no"/],
      ['apns', { apnsCert: huge }, 2, /^--apns-cert: ".*" is too large/],
      ['apns', { apnsKey: key }, 2, /^--apns-key also needs --apns-key-id/],
      ['apns', { apnsKey: key, apnsKeyId: IDS.apnsKeyId }, 2, /^--apns-key also needs --apns-team-id/],
      ['apns', { apnsCertKey: key }, 2, /^--apns-cert-key also needs --apns-cert/],
      ['apns', { apnsCert: cert, ...IDS }, 2, /^--apns-key-id belongs to --apns-key, not to --apns-cert/],
      ['apns', { apnsKey: key, apnsCert: cert, ...IDS }, 2, /^--apns-key and --apns-cert exclude each other/],
      ['apns', {}, 2, /^Give a credential: --apns-key .*or --apns-cert/],
      ['gcm', {}, 2, /^Give a credential: --fcm-service-account/],
      ['apns', { fcmServiceAccount: account }, 2, /^--fcm-service-account does not go with --platform apns/],
      ['android', { apnsKey: key, ...IDS }, 2, /^--apns-key does not go with --platform android/],
    ];
    for (const [platform, options, exitCode, expected] of cases) {
      const [code, line] = await refusal(platform, options);
      assert.match(line, expected);
      assert.match(line, /^[^\n]+\.$/, 'one sentence');
      assert.equal(code, exitCode, line);
      assert.ok(!line.includes('hunter2'));
    }
  });

  it('an id of a key that is not that of its file, and an id with a team before it, are noted', async (t) => {
    const cli = await createCli(t);
    const key = await cli.file('AuthKey_ZZZ1234567.p8', appleKey());
    const add = (appId: string, keyId: string) =>
      cli.run([
        ...['apps', 'add', '--platform', 'apns', '--app-id', appId],
        ...['--apns-key', key, '--apns-key-id', keyId, '--apns-team-id', IDS.apnsTeamId],
      ]);
    const right = await add(APP, 'ZZZ1234567');
    assert.deepEqual([right.code, right.stderr], [0, '']);
    const { code, stderr } = await add(`${IDS.apnsTeamId}.${APP}`, 'ABC1234567');
    assert.equal(code, 0);
    assert.match(
      stderr,
      /^Note: the file is named after the key ZZZ1234567, but --apns-key-id is ABC1234567\.$/m,
    );
    assert.match(
      stderr,
      /^Note: --app-id begins with a team id; the bundle id is probably com\.example\.phone\.$/m,
    );
  });

  it('gcm and android apps take the same service account', async (t) => {
    const { file } = await createCli(t);
    const account = await file('account.json', serviceAccount());
    for (const platform of ['gcm', 'android'] as const) {
      const { credential } = await readCredential({ fcmServiceAccount: account }, platform, APP, Date.now());
      assert.equal(credential.kind, 'fcm-service-account');
    }
  });

  it('is read from standard input for -', async (t) => {
    const { folder, databaseUrl, storedApps } = await createCli(t);
    const options = ['--platform', 'android', '--app-id', APP, '--fcm-service-account', '-'];
    const main = new URL('../../src/main.ts', import.meta.url).pathname;
    const stdout = execFileSync(
      process.execPath,
      ['--disable-warning=ExperimentalWarning', main, 'apps', 'add', ...options],
      {
        input: serviceAccount(),
        cwd: folder,
        env: { DATABASE_URL: databaseUrl },
        encoding: 'utf8',
        stdio: 'pipe',
      },
    );
    assert.match(stdout, /^Added the android app/);
    assert.deepEqual(Object.keys(await storedApps()), [`android ${APP}`]);
  });
});
