import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { askPbx, cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { createPhone } from '../../src/sandbox/phone.ts';
import { startServiceProcess } from '../helpers/service-process.ts';

/** What must not be read by whoever reads logs. */
const SECRETS = {
  token: `${'c0ffee'.repeat(10)}abcd`,
  androidToken: 'dXJ0aGVyVG9rZW4:APA91bHun4MxP5egoKMwt2KZFBaFUH-1RYqx',
  notificationToken: 'beef'.repeat(16),
  phoneNumber: '+31612345678',
  callerName: 'Jolanda van Privé',
  deviceName: 'iPhone van Willemijn',
  password: 'hunter2hunter2',
  platformToken: 'vg-secret-platform-token',
  pbxToken: 'pbx-secret-token-0123456789',
  typedNumber: '0031687654321',
};

describe('the log at its most talkative', () => {
  it('holds no token, number, name or credential after every endpoint was driven, rightly and wrongly', async (t) => {
    const service = await startServiceProcess(t, {
      PBX_TOKEN: SECRETS.pbxToken,
      APP_PUSH_ROUNDTRIP_WAIT: '700',
      TAKEOVER_NOTICE: 'on',
    });
    const { world, url } = service;
    const account = 200_000_002;
    const auth = world.platform.addUser({
      account,
      user: 'willemijn@example.com',
      password: SECRETS.password,
      token: SECRETS.platformToken,
    });
    const form = (fields: Record<string, string>) => new URLSearchParams(fields).toString();
    const post = (path: string, body: string, headers: Record<string, string> = {}, method = 'POST') =>
      fetch(`${url}${path}`, {
        method,
        body,
        headers: {
          'content-type': 'application/x-www-form-urlencoded',
          authorization: auth.token,
          ...headers,
        },
      });
    const phone = createPhone({
      kind: 'ios',
      account,
      token: SECRETS.token,
      app: 'com.example.phone',
      server: url,
      authorization: auth.token,
      name: SECRETS.deviceName,
      remoteNotificationToken: SECRETS.notificationToken,
      wakeUpMs: 5,
    });
    t.after(() => phone.close());
    const line = { url, token: SECRETS.pbxToken };
    const call = { ...line, account, phoneNumber: SECRETS.phoneNumber, callerId: SECRETS.callerName };

    assert.equal((await phone.register()).status, 201);
    phone.listen(world.apple);
    assert.equal((await askPbx(call)).outcome, 'ready');
    world.apple.script({ kind: 'answer', status: 500, reason: 'InternalServerError' }, { times: 2 });
    assert.equal((await askPbx(call)).outcome, 'push-failed');
    world.apple.script({ kind: 'answer', status: 400, reason: 'BadTopic' }, { times: 1 });
    assert.equal((await askPbx(call)).outcome, 'push-failed');
    assert.equal((await askPbx({ ...call, token: 'wrong-but-secret-bearer' })).status, 403);
    assert.equal((await askPbx({ ...call, account: `${SECRETS.typedNumber}` })).status, 400);
    await cancelPbxCall({ ...line, callId: 'none', reason: `called ${SECRETS.phoneNumber} back` });

    const device = { sip_user_id: String(account), token: SECRETS.androidToken, app: 'com.example.phone' };
    await post('/api/android-device/', form({ ...device, name: SECRETS.deviceName }));
    await post('/api/android-device/', form({ ...device, token: `${SECRETS.androidToken} with space` }));
    await post('/api/gcm-device/', form(device));
    await post('/api/android-device/', form(device), { authorization: auth.basic });
    await post('/api/android-device/', form(device), { authorization: 'Token wrong:also-secret-token' });
    await post('/api/apns-device/', `{"token":"${SECRETS.token}`, { 'content-type': 'application/json' });
    await post(
      '/api/hangup-reason/',
      form({ sip_user_id: String(account), unique_key: 'k', reason: `busy with ${SECRETS.phoneNumber}` }),
    );
    await post(
      '/api/log-metrics/',
      form({ sip_user_id: String(account), hangup_reason: 'x', name: SECRETS.callerName }),
    );
    await post('/api/check-in/', form({ sip_user_id: String(account) }));
    await post('/api/call-response/', form({ unique_key: 'nobody', message_start_time: '1' }));
    world.platform.script({ kind: 'garbage' }, { times: 1 });
    await post('/api/check-in/', form({ sip_user_id: String(account) }));
    world.platform.script({ kind: 'disconnect' }, { times: 1 });
    await post('/api/check-in/', form({ sip_user_id: String(account) }));
    world.google.unregisterDevice(SECRETS.androidToken);
    await askPbx(call);
    await post('/api/android-device/', form(device), {}, 'DELETE');

    await until(() => service.output().includes('no such phone to unregister'), 'the last line is written');
    const output = service.output();
    assert.ok(service.lines().length > 20, 'the log was written at all');
    const secrets = [
      ...Object.values(SECRETS),
      'also-secret-token',
      'wrong-but-secret-bearer',
      '612345678',
      'Privé',
    ];
    for (const secret of secrets) assert.ok(!output.includes(secret), `the log holds ${secret}`);
    assert.ok(!/BEGIN|eyJ[A-Za-z0-9]/.test(output), 'the log holds a key or a JWT');
    assert.ok(!output.includes(auth.basic.slice(6)), 'the log holds Basic credentials');
  });

  it("one call's lines share one id from the PBX to the push to the answer", async (t) => {
    const service = await startServiceProcess(t);
    const account = 200_000_003;
    const { token: authorization } = service.world.platform.addUser({
      account,
      user: 'u@example.com',
      password: 'p',
      token: 't',
    });
    const phone = createPhone({
      kind: 'android',
      account,
      token: 'fcm-token',
      app: 'com.example.phone',
      server: service.url,
      authorization,
      wakeUpMs: 5,
    });
    t.after(() => phone.close());
    await phone.register();
    phone.listen(service.world.google);
    const callId = 'a84b4c76e66710@pbx.example.com';
    await askPbx({ url: service.url, account, phoneNumber: '0201234567', callId });
    const ofCall = () => service.lines().filter((line) => line['call'] === callId);
    await until(() => ofCall().length >= 3, 'the lines are written');
    const messages = ofCall().map((line) => line['msg']);
    for (const expected of ['push accepted', 'app answered: taken', 'call ended: ready']) {
      assert.ok(messages.includes(expected), `no line "${expected}" among ${messages.join(', ')}`);
    }
    const ended = ofCall().find((line) => line['msg'] === 'call ended: ready');
    assert.equal(ended?.['account'], account);
    assert.equal(ended?.['pushes'], 1);
  });
});
