import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { VIALER_ANDROID_3 } from '../helpers/android-apps.ts';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { replayClient } from '../helpers/replay-client.ts';

it('vialer-android 3.0 to 5.3 is served unmodified', async (t) => {
  const scene = await startClientScene(t, [VIALER_ANDROID_3]);
  await replayClient(t, scene, VIALER_ANDROID_3);

  await t.test('its answer goes to a path that stands there twice', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_3);
    await scene.send(VIALER_ANDROID_3.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account });
    const reading = VIALER_ANDROID_3.read(await firstPush(pushes), '');
    assert.equal(reading.answerUrl, `${scene.url}/api/call-response/api/call-response/`);
    const answer = VIALER_ANDROID_3.answer(phone, reading, true);
    assert.equal(answer.line, 'POST /api/call-response/api/call-response/');
    // 5.3 rejects from its push service, whose HTTP client may have no credential yet.
    const headers = answer.headers.filter((header) => !header.startsWith('Authorization'));
    assert.equal((await scene.send({ ...answer, headers })).status, 202);
    assert.equal((await ringing).outcome, 'ready');
  });

  await t.test('Google is asked for a data message that wakes the app itself', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_3);
    await scene.send(VIALER_ANDROID_3.register(phone));
    const callId = randomUUID();
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account, callId });
    const reading = VIALER_ANDROID_3.read(await firstPush(pushes), '');
    await scene.send(VIALER_ANDROID_3.answer(phone, reading, true));
    await ringing;
    const request = scene.world.google.requests.list().find(({ token }) => token === phone.pushToken);
    assert.deepEqual(request?.body, {
      message: {
        token: phone.pushToken,
        data: {
          type: 'call',
          unique_key: callId,
          phonenumber: '0201234567',
          caller_id: '',
          response_api: `${scene.url}/api/call-response/`,
          message_start_time: reading.startTime,
          attempt: '1',
          vg_cid: callId,
        },
        android: { priority: 'HIGH', ttl: '0s' },
      },
    });
    assert.match(String(reading.startTime), /^\d{10}\.\d{7}$/);
  });

  await t.test('suppressed numbers reach it as it knows them', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_3);
    await scene.send(VIALER_ANDROID_3.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    for (const phoneNumber of ['supressed', 'xxxxxxxx', 'anonymous']) {
      const ringing = scene.ask({ account: phone.account, phoneNumber });
      await until(() => pushes.length > 0, 'the phone is pushed');
      const reading = VIALER_ANDROID_3.read(pushes.splice(0)[0] ?? {}, '');
      assert.equal(reading.number, phoneNumber);
      await scene.send(VIALER_ANDROID_3.answer(phone, reading, true));
      assert.equal((await ringing).outcome, 'ready');
    }
  });
});

it('vialer-android 5.3 without network waits for a later push of the same call', async (t) => {
  const scene = await startClientScene(t, [VIALER_ANDROID_3], { APP_PUSH_RESEND_INTERVAL: '100' });
  const phone = scene.newPhone(VIALER_ANDROID_3);
  await scene.send(VIALER_ANDROID_3.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  const ringing = scene.ask({ account: phone.account });
  await until(() => pushes.length >= 3, 'the third push arrives');
  const readings = pushes.slice(0, 3).map((push) => VIALER_ANDROID_3.read(push, ''));
  assert.equal(new Set(readings.map(({ uniqueKey }) => uniqueKey)).size, 1);
  assert.equal(
    new Set(readings.map(({ startTime }) => startTime)).size,
    3,
    'each push has its own start time',
  );
  assert.deepEqual(
    pushes.slice(0, 3).map((push) => push['attempt']),
    ['1', '2', '3'],
  );
  const [, , third] = readings;
  assert.ok(third);
  assert.equal((await scene.send(VIALER_ANDROID_3.answer(phone, third, true))).status, 202);
  assert.equal((await ringing).body, 'status=ACK');
});
