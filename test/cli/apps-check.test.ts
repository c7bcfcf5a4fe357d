import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APP, createCliInWorld } from './world-fixture.ts';

describe('apps check', () => {
  it('asks Apple and Google for a phone that cannot exist, and takes that complaint for a yes', async (t) => {
    const cli = await createCliInWorld(t, { apple: { knownDevicesOnly: true } });
    cli.world.google.script({ kind: 'answer', status: 400, reason: 'INVALID_ARGUMENT' });
    const json = await cli.run(['apps', 'check', '--json']);
    assert.deepEqual([json.code, json.stderr], [0, '']);
    const rows: unknown = JSON.parse(json.stdout);
    assert.ok(Array.isArray(rows));
    assert.deepEqual(
      rows.map(({ platform, appId, status, said }) => [platform, appId, status, said]),
      [
        ['android', APP, 'ok', 'INVALID_ARGUMENT'],
        ['apns', APP, 'ok', 'BadDeviceToken'],
      ],
    );
    assert.deepEqual(
      cli.world.apple.requests.list().map(({ token }) => token),
      ['0'.repeat(64)],
    );
    const sandbox = await cli.run(['apps', 'check', '--platform', 'apns', '--sandbox']);
    assert.match(
      sandbox.stdout,
      /^ok +apns +com\.example\.phone +\d+ ms +BadDeviceToken +the credential is accepted$/m,
    );
    assert.equal(cli.world.appleSandbox.requests.list().length, 1);
    assert.doesNotMatch(sandbox.stdout, /android/);
  });

  it('a refused credential fails, with the push service’s word', async (t) => {
    const cli = await createCliInWorld(t);
    cli.world.apple.script({ kind: 'answer', status: 403, reason: 'InvalidProviderToken' });
    cli.world.google.script({ kind: 'answer', status: 403, reason: 'NEW_WORD' });
    const checked = await cli.run(['apps', 'check']);
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /^failed +apns .*InvalidProviderToken +the credential is refused/m);
    assert.match(
      checked.stdout,
      /^failed +android .*Other \(HTTP 403: NEW_WORD\) +the credential is refused/m,
    );
    assert.equal(checked.stderr, '2 of 2 apps cannot be relied on.\n');
  });

  it('a certificate is asked about as one, and a topic that it does not cover fails', async (t) => {
    const cli = await createCliInWorld(t);
    const issued = cli.world.ca.issueClient({ commonName: APP });
    const file = await cli.file('voip.pem', issued.certificate + issued.privateKey);
    for (const appId of [APP, 'com.example.other']) {
      const add = ['apps', 'add', '--platform', 'apns', '--app-id', appId, '--apns-cert', file];
      assert.equal((await cli.run(add)).code, 0);
    }
    const checked = await cli.run(['apps', 'check', '--platform', 'apns']);
    assert.equal(checked.code, 1);
    assert.match(checked.stdout, /^ok +apns +com\.example\.phone /m);
    assert.match(
      checked.stdout,
      /^failed +apns +com\.example\.other .*TopicDisallowed +the credential may not push calls/m,
    );
    assert.match(
      checked.stdout,
      /^Note: apns app com\.example\.other: the certificate is for com\.example\.phone/m,
    );
  });

  it('a push service that cannot be reached or trusted says nothing of the credential', async (t) => {
    const cli = await createCliInWorld(t);
    const settings = { APNS_URL: 'https://127.0.0.1:1', NODE_EXTRA_CA_CERTS: '' };
    const checked = await cli.run(['apps', 'check', '--json'], settings);
    assert.deepEqual([checked.code, checked.stderr], [1, '2 of 2 apps cannot be relied on.\n']);
    const rows: unknown = JSON.parse(checked.stdout);
    assert.ok(Array.isArray(rows) && rows.length === 2);
    assert.deepEqual(
      rows.map(({ said }) => said),
      ['tls-failed', 'connection-refused'],
    );
    for (const { status, tookMs } of rows) {
      assert.equal(status, 'unclear');
      assert.ok(tookMs < 9_000, 'nobody waits for the whole limit when connecting fails at once');
    }
    assert.match(rows[1].explanation, /ECONNREFUSED/);
    assert.match(rows[0].explanation, /certificate is not trusted: add its CA by NODE_EXTRA_CA_CERTS/);
  });

  it('one app can be asked about, one that is not there cannot', async (t) => {
    const cli = await createCliInWorld(t);
    const one = await cli.run(['apps', 'check', '--platform', 'android', '--app-id', APP, '--json']);
    assert.equal(one.code, 0);
    const rows: unknown = JSON.parse(one.stdout);
    assert.ok(Array.isArray(rows) && rows.length === 1);
    const none = await cli.run(['apps', 'check', '--app-id', 'com.example.none']);
    assert.deepEqual([none.code, none.stdout], [1, '']);
    assert.match(none.stderr, /^There is no such app\.[^\n]*\n$/);
  });
});
