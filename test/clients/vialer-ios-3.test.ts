import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { slashEscapedJson } from '../helpers/client-encodings.ts';
import { type ClientPhone, firstPush, startClientScene } from '../helpers/client-scene.ts';
import type { RawRequest } from '../helpers/raw-http.ts';
import { replayClient } from '../helpers/replay-client.ts';
import { headersAf, registrationAf, vialerIos3 } from '../helpers/vialer-ios-apps.ts';

const client = vialerIos3('token');

function post(phone: ClientPhone, path: string, fields: object): RawRequest {
  return {
    line: `POST ${path}`,
    headers: headersAf(phone.token),
    body: slashEscapedJson(fields),
  };
}

it('vialer-ios 3.0 to 5.6.7 is served unmodified', async (t) => {
  const scene = await startClientScene(t, [client]);
  await replayClient(t, scene, vialerIos3('basic'));
  await replayClient(t, scene, client);

  await t.test('Apple is asked for a VoIP push, with every key at the top of it', async () => {
    const phone = scene.newPhone(client);
    await scene.send(client.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account, callerId: 'Anna' });
    const push = await firstPush(pushes);
    const reading = client.read(push, '');
    assert.match(reading.uniqueKey, /^[0-9a-f]{32}$/, 'a key of our own');
    assert.deepEqual(push, {
      aps: {},
      type: 'call',
      unique_key: reading.uniqueKey,
      phonenumber: '0201234567',
      caller_id: 'Anna',
      response_api: `${scene.url}/api/call-response/`,
      message_start_time: reading.startTime,
      attempt: 1,
      vg_cid: reading.uniqueKey,
    });
    await scene.send(client.answer(phone, reading, true));
    assert.equal((await ringing).body, 'status=ACK');
    const request = scene.world.apple.requests.list().find(({ token }) => token === phone.pushToken);
    assert.equal(request?.headers['apns-topic'], 'com.voipgrid.vialer.voip');
    assert.equal(request?.headers['apns-push-type'], 'voip');
    assert.equal(request?.headers['apns-priority'], '10');
    assert.equal(request?.headers['apns-expiration'], '0');
  });

  await t.test("a debug build is woken through Apple's sandbox", async () => {
    const phone = scene.newPhone(client);
    client.checkRegistered(await scene.send(registrationAf(phone, phone.token, { sandbox: true })));
    const before = scene.world.apple.requests.count();
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account });
    const reading = client.read(await firstPush(pushes), '');
    await scene.send(client.answer(phone, reading, true));
    assert.equal((await ringing).body, 'status=ACK');
    assert.equal(scene.world.apple.requests.count(), before);
    assert.equal(scene.world.appleSandbox.requests.list().at(-1)?.token, phone.pushToken);
  });

  await t.test('it adds its logging id, and takes it away again', async () => {
    const phone = scene.newPhone(client);
    const withId = registrationAf(phone, phone.token, { remote_logging_id: '4F3b91c0aE' });
    assert.equal((await scene.send(withId)).status, 201);
    assert.equal((await scene.send(client.register(phone))).status, 200);
  });

  await t.test('its hang-up report, which names no account, is 400 as ever, and never 401', async () => {
    const phone = scene.newPhone(client);
    const report = {
      unique_key: '0'.repeat(32),
      hangup_reason: 'Rejected - Insufficient internet connection',
    };
    const answer = await scene.send(post(phone, '/api/hangup-reason/', report));
    assert.equal(answer.status, 400);
    assert.equal(answer.body, '{"detail":"Malformed request."}');
  });

  await t.test('its figures are counted', async () => {
    const phone = scene.newPhone(client);
    const figures = {
      sip_user_id: String(phone.account),
      os: 'iOS',
      os_version: '12.4',
      app_version: '5.6.7',
      network: '4G',
      network_operator: 'KPN / NL',
      connection_type: 'TLS',
      direction: 'incoming',
      call_setup_successful: 'true',
    };
    const answer = await scene.send(post(phone, '/api/log-metrics/', figures));
    assert.deepEqual([answer.status, answer.body], [200, '']);
    const labels =
      'app_version="5.6.7",connection_type="TLS",direction="incoming",network="4G",' +
      'network_operator="KPN / NL",os="iOS",os_version="12.4",codec="None",mos="None"';
    assert.equal(await scene.metric(`vialer_call_success_total{${labels}}`), 1);
  });
});

it('vialer-ios 5.6.7 takes pushes of one call as one, up to the eighth', async (t) => {
  const scene = await startClientScene(t, [client], {
    APP_PUSH_ROUNDTRIP_WAIT: '5400',
    APP_PUSH_RESEND_INTERVAL: '600',
  });
  const phone = scene.newPhone(client);
  await scene.send(client.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  const ringing = scene.ask({ account: phone.account });
  await until(() => pushes.length === 8, 'all pushes have arrived');
  const readings = pushes.map((push) => client.read(push, ''));
  assert.equal(new Set(readings.map(({ uniqueKey }) => uniqueKey)).size, 1);
  assert.deepEqual(
    pushes.map((push) => push['attempt']),
    [1, 2, 3, 4, 5, 6, 7, 8],
  );
  assert.equal((await ringing).outcome, 'timed-out');
  assert.equal(pushes.length, 8, 'there is no ninth');
});
