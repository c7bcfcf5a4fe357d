import assert from 'node:assert/strict';
import { it } from 'node:test';
import {
  VIALER_ANDROID_3,
  VIALER_ANDROID_GCM,
  VIALER_ANDROID_GCM_RETROFIT_1,
} from '../helpers/android-apps.ts';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { replayClient } from '../helpers/replay-client.ts';

it('vialer-android of early 2016, on Google Cloud Messaging, is served unmodified', async (t) => {
  const scene = await startClientScene(t, [VIALER_ANDROID_GCM, VIALER_ANDROID_3]);
  await replayClient(t, scene, VIALER_ANDROID_GCM);
  await replayClient(t, scene, VIALER_ANDROID_GCM_RETROFIT_1);

  await t.test('an update of the app moves the phone from gcm to android', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_GCM);
    assert.equal((await scene.send(VIALER_ANDROID_GCM.register(phone))).status, 201);
    assert.equal((await scene.send(VIALER_ANDROID_3.register(phone))).status, 200);
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account });
    const reading = VIALER_ANDROID_3.read(await firstPush(pushes), '');
    assert.equal((await scene.send(VIALER_ANDROID_GCM.unregister(phone))).status, 404, 'it is gcm no more');
    assert.equal((await scene.send(VIALER_ANDROID_3.answer(phone, reading, true))).status, 202);
    assert.equal((await ringing).body, 'status=ACK');
    assert.equal((await scene.send(VIALER_ANDROID_3.unregister(phone))).status, 200);
  });

  await t.test('the check-in, which it sends when asked to, finds its phone', async () => {
    const phone = scene.newPhone(VIALER_ANDROID_GCM);
    const checkIn = { ...VIALER_ANDROID_GCM.unregister(phone), line: 'POST /api/check-in/' };
    assert.equal((await scene.send(checkIn)).status, 404);
    await scene.send(VIALER_ANDROID_GCM.register(phone));
    assert.equal((await scene.send(checkIn)).status, 200);
  });
});
