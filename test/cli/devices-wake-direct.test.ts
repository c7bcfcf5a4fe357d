import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { APP, createCliInWorld } from './world-fixture.ts';

const IPHONE = {
  account: 123456788,
  platform: 'apns',
  appId: APP,
  token: 'ab'.repeat(32),
  sandbox: false,
} as const;
const ANDROID = { account: 123456789, platform: 'android', appId: APP, token: 'fcm:some-token' } as const;

describe('devices wake without a service', () => {
  it('pushes from its own process and tells each step', async (t) => {
    const cli = await createCliInWorld(t);
    await cli.register(IPHONE, ANDROID);
    const text = await cli.run(['devices', 'wake', '123456788', '--direct']);
    assert.deepEqual([text.code, text.stderr], [0, '']);
    assert.match(text.stdout, /^ {2}device +\d+\.\d ms +found: apns com\.example\.phone$/m);
    for (const step of ['connect', 'credential'])
      assert.match(text.stdout, new RegExp(`^  ${step} +\\d+\\.\\d ms`, 'm'));
    assert.match(text.stdout, /^ {2}push +\d+\.\d ms +accepted: Accepted$/m);
    assert.match(text.stdout, /Whether the app answers is only seen through a running service/);
    assert.deepEqual(
      cli.world.apple.received.list().map(({ token }) => token),
      [IPHONE.token],
    );

    const json = await cli.run(['devices', 'wake', '123456789', '--direct', '--json']);
    const report: unknown = JSON.parse(json.stdout);
    assert.ok(typeof report === 'object' && report !== null && 'verdict' in report && 'mode' in report);
    assert.deepEqual([report.mode, report.verdict], ['direct', 'accepted']);
    assert.ok(!(text.all + json.all).includes(IPHONE.token) && !json.all.includes(ANDROID.token));
  });

  it('is what happens where no service answers, and is said', async (t) => {
    const cli = await createCliInWorld(t);
    await cli.register(ANDROID);
    const woken = await cli.run(['devices', 'wake', '123456789', '--via', 'http://127.0.0.1:1']);
    assert.equal(woken.code, 0);
    assert.match(woken.stderr, /^No service answers at http:\/\/127\.0\.0\.1:1\/ \(connection refused\)/);
    assert.equal(cli.world.google.received.list().length, 1);
  });

  it('a push that is not taken exits 1 with the push service’s word, and the device stays', async (t) => {
    const cli = await createCliInWorld(t);
    await cli.register(IPHONE, ANDROID);
    cli.world.google.unregisterDevice(ANDROID.token);
    const dead = await cli.run(['devices', 'wake', '123456789', '--direct']);
    assert.deepEqual([dead.code, dead.stderr], [1, 'The push was not taken: token-dead (UNREGISTERED).\n']);
    assert.match(dead.stdout, /open the app so that it registers again/);
    assert.equal((await cli.run(['devices', 'show', '123456789'])).code, 0);

    const unreachable = await cli.run(['devices', 'wake', '123456788', '--direct'], {
      APNS_URL: 'https://127.0.0.1:1',
    });
    assert.equal(unreachable.code, 1);
    assert.match(
      unreachable.stdout,
      /^ {2}connect +cannot connect to https:\/\/127\.0\.0\.1:1: .*ECONNREFUSED/m,
    );
    const nobody = await cli.run(['devices', 'wake', '987654321', '--direct']);
    assert.deepEqual([nobody.code, nobody.stdout], [1, '']);
    assert.match(nobody.stderr, /^No device is registered for account 987654321/);
  });
});
