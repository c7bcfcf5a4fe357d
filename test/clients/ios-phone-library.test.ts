import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { IOS_PIL } from '../helpers/phone-library-apps.ts';
import { replayClient } from '../helpers/replay-client.ts';

it('the example app of the iOS phone library is served unmodified', async (t) => {
  const scene = await startClientScene(t, [IOS_PIL]);
  await replayClient(t, scene, IOS_PIL);

  await t.test('it unregisters with its fields in the query string and no body', async () => {
    const phone = scene.newPhone(IOS_PIL);
    await scene.send(IOS_PIL.register(phone));
    const request = IOS_PIL.unregister(phone);
    assert.match(
      request.line,
      /^DELETE \/api\/apns-device\/\?app=com\.voipgrid\.PhoneLibExample&sip_user_id=\d{9}&token=/,
    );
    assert.equal(
      (await scene.send({ ...request, line: request.line.slice(0, -1) })).status,
      404,
      'another token',
    );
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account });
    const reading = IOS_PIL.read(await firstPush(pushes), `${scene.url}/api/call-response/`);
    await scene.send(IOS_PIL.answer(phone, reading, true));
    assert.equal((await ringing).outcome, 'ready', 'it is still there');
    assert.equal(
      scene.world.appleSandbox.requests.list().at(-1)?.headers['apns-topic'],
      `${phone.appId}.voip`,
    );
    assert.equal((await scene.send(request)).status, 200);
    assert.equal((await scene.ask({ account: phone.account })).outcome, 'no-device');
  });

  await t.test('its registration is a form only in its body, never in its query', async () => {
    const phone = scene.newPhone(IOS_PIL);
    const request = IOS_PIL.register(phone);
    const inQuery = { ...request, line: `${request.line}?${String(request.body)}`, body: '' };
    assert.equal((await scene.send(inQuery)).status, 400);
  });
});
