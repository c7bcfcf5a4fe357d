import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { dartDelete, dartString, flutterIos } from '../helpers/flutter-apps.ts';
import { replayClient } from '../helpers/replay-client.ts';

const NOTIFICATION_TOKEN = '80f4707bebcf74f9b7c25d48e3358945f6aa01da5ddb387462c7eaf61bb78ad3';

/** How the versions wrote what is not the same in all of them. */
const VERSIONS = {
  'of 2022': { sandbox: 'false' },
  'of 2022 with an unset build setting': { sandbox: '', remote_notification_token: '' },
  'of 2023': { sandbox: 'true', remote_notification_token: NOTIFICATION_TOKEN, dnd: 'false' },
  'of 2024': {
    sandbox: false,
    remote_notification_token: NOTIFICATION_TOKEN,
    dnd: false,
    app_startup_timestamp: '2024-03-20T08:15:30.123456',
  },
};
const client = flutterIos('of 2024', VERSIONS['of 2024']);

it('the Flutter app on iOS is served unmodified', async (t) => {
  const scene = await startClientScene(t, [client]);
  for (const [version, fields] of Object.entries(VERSIONS)) {
    await replayClient(t, scene, flutterIos(version, fields));
  }

  for (const [sandbox, environment] of [
    ['true', 'appleSandbox'],
    [true, 'appleSandbox'],
    ['false', 'apple'],
    [false, 'apple'],
    ['', 'apple'],
  ] as const) {
    await t.test(`sandbox ${JSON.stringify(sandbox)} is woken through ${environment}`, async () => {
      const one = flutterIos('', { sandbox });
      const phone = scene.newPhone(one);
      await scene.send(one.register(phone));
      const pushes = scene.pushesTo(phone.pushToken);
      const ringing = scene.ask({ account: phone.account });
      const reading = one.read(await firstPush(pushes), '');
      await scene.send(one.answer(phone, reading, true));
      assert.equal((await ringing).outcome, 'ready');
      assert.equal(scene.world[environment].requests.list().at(-1)?.token, phone.pushToken);
    });
  }

  for (const endpoint of ['apns-device', 'apns-device/'] as const) {
    await t.test(`it logs out by DELETE /api/${endpoint}`, async () => {
      const phone = scene.newPhone(client);
      await scene.send(client.register(phone));
      const answer = await scene.send(dartDelete(phone, endpoint));
      assert.equal(answer.status, 200);
      dartString(answer);
      assert.equal((await scene.ask({ account: phone.account })).outcome, 'no-device');
    });
  }
});

it('the Flutter app on iOS gets one push a call', async (t) => {
  const scene = await startClientScene(t, [client], {
    APP_PUSH_ROUNDTRIP_WAIT: '1500',
    APP_PUSH_RESEND_INTERVAL: '100',
  });
  const phone = scene.newPhone(client);
  await scene.send(client.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  assert.equal((await scene.ask({ account: phone.account })).outcome, 'timed-out');
  assert.equal(pushes.length, 1);
});
