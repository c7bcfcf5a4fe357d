import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { dartDelete, dartString, FLUTTER_ANDROID, FLUTTER_ANDROID_FORM } from '../helpers/flutter-apps.ts';
import { replayClient } from '../helpers/replay-client.ts';

it('the Flutter app on Android is served unmodified', async (t) => {
  const scene = await startClientScene(t, [FLUTTER_ANDROID]);
  await replayClient(t, scene, FLUTTER_ANDROID_FORM);
  await replayClient(t, scene, FLUTTER_ANDROID);

  await t.test('Dart registers as well, with nulls for what it does not know', async () => {
    const phone = scene.newPhone(FLUTTER_ANDROID);
    const answer = await scene.send({
      ...dartDelete(phone, 'android-device/'),
      line: 'POST /api/android-device/',
      body: JSON.stringify({
        name: phone.user,
        token: phone.pushToken,
        sip_user_id: String(phone.account),
        os_version: '12',
        client_version: '7.6.1',
        app: phone.appId,
        app_startup_timestamp: null,
        dnd: false,
      }),
    });
    assert.equal(answer.status, 201);
    dartString(answer);
  });

  await t.test('it logs out without a slash at the end, and is told 200 and no redirect', async () => {
    const phone = scene.newPhone(FLUTTER_ANDROID);
    await scene.send(FLUTTER_ANDROID.register(phone));
    const answer = await scene.send(dartDelete(phone, 'android-device'));
    assert.equal(answer.status, 200);
    assert.equal(answer.headers.get('location'), undefined);
    assert.equal((await scene.ask({ account: phone.account })).outcome, 'no-device');
  });

  await t.test('any call_id of the PBX reaches it, as unique_key and as vg_cid', async () => {
    const phone = scene.newPhone(FLUTTER_ANDROID);
    await scene.send(FLUTTER_ANDROID.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    const callId = 'ua5-1573654324.123@pbx';
    const ringing = scene.ask({ account: phone.account, callId });
    const push = await firstPush(pushes);
    assert.equal(push['vg_cid'], callId);
    const reading = FLUTTER_ANDROID.read(push, '');
    assert.equal(reading.uniqueKey, callId);
    await scene.send(FLUTTER_ANDROID.answer(phone, reading, true));
    assert.equal((await ringing).body, 'status=ACK');
  });
});

it('the Flutter app on Android answers the first of several pushes, once', async (t) => {
  const scene = await startClientScene(t, [FLUTTER_ANDROID], { APP_PUSH_RESEND_INTERVAL: '100' });
  const phone = scene.newPhone(FLUTTER_ANDROID);
  await scene.send(FLUTTER_ANDROID.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  const ringing = scene.ask({ account: phone.account });
  await until(() => pushes.length >= 3, 'the phone is pushed again');
  const first = FLUTTER_ANDROID.read(pushes[0] ?? {}, '');
  const second = FLUTTER_ANDROID.read(pushes[1] ?? {}, '');
  assert.equal(second.uniqueKey, first.uniqueKey, 'it ignores what it handles already by this key');
  assert.equal((await scene.send(FLUTTER_ANDROID.answer(phone, first, true))).status, 202);
  assert.equal((await ringing).body, 'status=ACK');
});
