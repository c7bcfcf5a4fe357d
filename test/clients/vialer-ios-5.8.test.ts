import assert from 'node:assert/strict';
import { it } from 'node:test';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { replayClient } from '../helpers/replay-client.ts';
import { uuidFixer } from '../helpers/swift-values.ts';
import { registrationAf, VIALER_IOS_6 } from '../helpers/vialer-ios-apps.ts';

it('vialer-ios 5.8 to 6.0.0 is served unmodified', async (t) => {
  const scene = await startClientScene(t, [VIALER_IOS_6]);
  await replayClient(t, scene, VIALER_IOS_6);

  const callIds = [
    ['a UUID', 'C7A5F0E2-18B3-4F5E-9C7D-0B1A2C3D4E5F', true],
    ['32 hex digits', '0123456789abcdef0123456789abcdef', true],
    ['a SIP call id', '7b9f-2c@pbx.example.com', false],
    ['an Asterisk unique id', 'ua5-1573654324.123', false],
    ['none at all', undefined, false],
  ] as const;
  for (const [what, callId, kept] of callIds) {
    await t.test(`a PBX that names its calls by ${what} does not crash it`, async () => {
      const phone = scene.newPhone(VIALER_IOS_6);
      await scene.send(VIALER_IOS_6.register(phone));
      const pushes = scene.pushesTo(phone.pushToken);
      const ringing = scene.ask({ account: phone.account, ...(callId === undefined ? {} : { callId }) });
      const reading = VIALER_IOS_6.read(await firstPush(pushes), '');
      if (kept) assert.equal(reading.uniqueKey, callId);
      else assert.match(reading.uniqueKey, /^[0-9a-f]{32}$/);
      const answer = await scene.send(VIALER_IOS_6.answer(phone, reading, true));
      assert.equal(answer.status, 202);
      assert.equal((await ringing).body, 'status=ACK');
    });
  }

  await t.test('a caller without number or name is shown and not lost', async () => {
    const phone = scene.newPhone(VIALER_IOS_6);
    await scene.send(VIALER_IOS_6.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account, phoneNumber: 'anonymous' });
    const reading = VIALER_IOS_6.read(await firstPush(pushes), '');
    assert.deepEqual([reading.number, reading.callerName], ['anonymous', '']);
    await scene.send(VIALER_IOS_6.answer(phone, reading, true));
    await ringing;
  });

  await t.test('a debug build registers with sandbox as a JSON boolean', async () => {
    const phone = scene.newPhone(VIALER_IOS_6);
    const request = registrationAf(phone, phone.token, { sandbox: true, push_profile: 'once' });
    assert.match(String(request.body), /"sandbox":true/);
    VIALER_IOS_6.checkRegistered(await scene.send(request));
  });
});

it('vialer-ios 5.8, which reports every VoIP push as a call, gets one push a call', async (t) => {
  const scene = await startClientScene(t, [VIALER_IOS_6], {
    APP_PUSH_ROUNDTRIP_WAIT: '1500',
    APP_PUSH_RESEND_INTERVAL: '100',
  });
  const phone = scene.newPhone(VIALER_IOS_6);
  await scene.send(VIALER_IOS_6.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  for (const calls of [1, 2]) {
    assert.equal((await scene.ask({ account: phone.account })).outcome, 'timed-out');
    assert.equal(pushes.length, calls);
  }
});

it("the app's UUID fixer, as replayed here, takes what iOS takes", () => {
  assert.equal(uuidFixer('0123456789abcdef0123456789abcdef'), '01234567-89AB-CDEF-0123-456789ABCDEF');
  assert.equal(uuidFixer('c7a5f0e2-18b3-4f5e-9c7d-0b1a2c3d4e5f'), 'C7A5F0E2-18B3-4F5E-9C7D-0B1A2C3D4E5F');
  for (const text of ['', '123', '0123456789abcdef0123456789abcdeg', '7b9f-2c@pbx.example.com']) {
    assert.equal(uuidFixer(text), undefined);
  }
});
