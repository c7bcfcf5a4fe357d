import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { it, type TestContext } from 'node:test';
import {
  VIALER_ANDROID_3,
  VIALER_ANDROID_6,
  VIALER_ANDROID_GCM,
  VIALER_ANDROID_GCM_RETROFIT_1,
} from '../helpers/android-apps.ts';
import { firstPush, startClientScene } from '../helpers/client-scene.ts';
import { FLUTTER_ANDROID, FLUTTER_ANDROID_FORM, flutterIos } from '../helpers/flutter-apps.ts';
import { ANDROID_PIL, IOS_PIL } from '../helpers/phone-library-apps.ts';
import type { FieldClient } from '../helpers/replay-client.ts';
import { VIALER_IOS_6, vialerIos3 } from '../helpers/vialer-ios-apps.ts';

const FLUTTER_IOS = flutterIos('7.20', { sandbox: false, dnd: false, remote_notification_token: '' });

/** Those that post to `response_api` as it was pushed. docs/http-api.md says the same. */
const VERBATIM = [FLUTTER_ANDROID, FLUTTER_ANDROID_FORM, FLUTTER_IOS, VIALER_ANDROID_GCM_RETROFIT_1];
const NOT_VERBATIM = [
  VIALER_ANDROID_GCM,
  VIALER_ANDROID_3,
  VIALER_ANDROID_6,
  vialerIos3('token'),
  VIALER_IOS_6,
  ANDROID_PIL,
  IOS_PIL,
];
const ANSWER_SECRET = '0123456789abcdef0123456789abcdef';

/** The status that the app's answer to a call gets. */
async function answerOf(t: TestContext, client: FieldClient): Promise<number> {
  const scene = await startClientScene(t, [client], { ANSWER_SECRET });
  const phone = scene.newPhone(client);
  await scene.send(client.register(phone));
  const pushes = scene.pushesTo(phone.pushToken);
  const hangUp = new AbortController();
  const ringing = scene.ask({ account: phone.account, callId: randomUUID(), signal: hangUp.signal });
  const reading = client.read(await firstPush(pushes), `${scene.url}/api/call-response/`);
  const { status } = await scene.send(client.answer(phone, reading, true));
  if (status === 202) assert.equal((await ringing).body, 'status=ACK');
  else {
    hangUp.abort();
    await assert.rejects(ringing);
  }
  return status;
}

for (const client of VERBATIM) {
  it(`${client.name} answers with the proof of its push`, async (t) => {
    assert.equal(await answerOf(t, client), 202);
  });
}

for (const client of NOT_VERBATIM) {
  it(`${client.name} loses the proof in the address, and is refused`, async (t) => {
    assert.equal(await answerOf(t, client), 404);
  });
}

it('with ANSWER_PROOF=key every app of the field works with a secret', async (t) => {
  const clients = [...VERBATIM, ...NOT_VERBATIM];
  const scene = await startClientScene(t, clients, { ANSWER_SECRET, ANSWER_PROOF: 'key' });
  for (const client of clients) {
    const phone = scene.newPhone(client);
    await scene.send(client.register(phone));
    const pushes = scene.pushesTo(phone.pushToken);
    const ringing = scene.ask({ account: phone.account, callId: `call of ${client.name}` });
    const reading = client.read(await firstPush(pushes), `${scene.url}/api/call-response/`);
    const { status } = await scene.send(client.answer(phone, reading, true));
    assert.equal(status, 202, client.name);
    assert.equal((await ringing).body, 'status=ACK', client.name);
  }
});
