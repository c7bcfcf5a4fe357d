import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import {
  type ClientPhone,
  type ClientScene,
  firstPush,
  type PushPayload,
  pushTokenOf,
  startClientScene,
} from '../helpers/client-scene.ts';
import { FLUTTER_ANDROID } from '../helpers/flutter-apps.ts';
import type { FieldClient } from '../helpers/replay-client.ts';
import {
  ALERT_TOKEN,
  APPS,
  flutterWith,
  loggingAs,
  NOTICES,
  SILENT,
  type Takeover,
} from './takeover-cases.ts';

const TEXT = "An other device has registered for the same account. You won't be reachable on this device";
/** The account's next phone: the same person and app, another token. */
function nextPhoneOf(phone: ClientPhone, next: FieldClient): ClientPhone {
  return {
    ...phone,
    appId: next.appId,
    pushToken: pushTokenOf(next.platform),
  };
}

interface Told {
  readonly phone: ClientPhone;
  readonly next: ClientPhone;
  /** Everything that reached the old phone. */
  readonly pushes: readonly PushPayload[];
  readonly alerts: readonly PushPayload[];
}

async function takeOver(scene: ClientScene, { old, next }: Takeover): Promise<Told> {
  const phone = scene.newPhone(old);
  const nextPhone = nextPhoneOf(phone, next);
  const [pushes, alerts] = [scene.pushesTo(phone.pushToken), scene.pushesTo(ALERT_TOKEN)];
  assert.equal((await scene.send(old.register(phone))).status, 201);
  assert.equal((await scene.send(next.register(nextPhone))).status, 200);
  return { phone, next: nextPhone, pushes, alerts };
}

async function call(scene: ClientScene, client: FieldClient, phone: ClientPhone): Promise<void> {
  const calls = scene.pushesTo(phone.pushToken);
  const ringing = scene.ask({ account: phone.account });
  const reading = client.read(await firstPush(calls), `${scene.url}/api/call-response/`);
  assert.equal((await scene.send(client.answer(phone, reading, true))).status, 202);
  assert.equal((await ringing).body, 'status=ACK');
}

/** The old phone unregisters with its old token, as apps do when they were told; the new one stays, and is called. */
async function checkNewPhoneStays(
  scene: ClientScene,
  takeover: Takeover,
  { phone, next }: Told,
): Promise<void> {
  const gone = await scene.send(takeover.old.unregister(phone));
  assert.deepEqual([gone.status, gone.body], [404, '{"detail":"Not found."}']);
  await call(scene, takeover.next, next);
}

/** A call for somebody else over the connection that a notice would have taken: after it, the notice has arrived. */
async function callAnotherOf(scene: ClientScene, client: FieldClient): Promise<void> {
  const other = scene.newPhone(client);
  await scene.send(client.register(other));
  await call(scene, client, other);
}

function requestTo(scene: ClientScene, token: string) {
  return scene.world.apple.requests.list().filter((request) => request.token === token);
}

async function checkTold(t: TestContext, scene: ClientScene, takeover: Takeover): Promise<void> {
  const told = await takeOver(scene, takeover);
  const expected = takeover.told === 'alert' ? told.alerts : told.pushes;
  if (takeover.told !== 'nothing') await until(() => expected.length > 0, 'the old phone is told');
  await checkNewPhoneStays(scene, takeover, told);
  await callAnotherOf(scene, takeover.old);
  switch (takeover.told) {
    case 'nothing':
      assert.deepEqual([...told.pushes, ...told.alerts], []);
      return;
    case 'data':
      assert.deepEqual(told.pushes, [{ type: 'message', message: TEXT }]);
      return;
    case 'voip': {
      assert.deepEqual(told.pushes, [{ aps: {}, type: 'message', message: TEXT }]);
      const [request] = requestTo(scene, told.phone.pushToken);
      assert.equal(request?.headers['apns-topic'], 'com.voipgrid.vialer.voip');
      assert.equal(request?.headers['apns-push-type'], 'voip');
      return;
    }
    case 'alert': {
      assert.deepEqual(told.pushes, [], 'no VoIP push: it would be shown as a call');
      assert.deepEqual(told.alerts, [{ aps: { alert: TEXT } }]);
      const request = requestTo(scene, ALERT_TOKEN).at(-1);
      assert.equal(request?.headers['apns-topic'], 'com.voipgrid.vialer');
      assert.equal(request?.headers['apns-push-type'], 'alert');
      return;
    }
    default:
      t.diagnostic(takeover.told satisfies never);
  }
}

it('the phone that lost its account is told, in the way its app understands', async (t) => {
  const scene = await startClientScene(t, APPS);
  for (const takeover of NOTICES) {
    await t.test(takeover.name, async (sub) => {
      await checkTold(sub, scene, takeover);
    });
  }
});

it('a phone is not told where that would do harm', async (t) => {
  const scene = await startClientScene(t, APPS);
  for (const takeover of SILENT) {
    await t.test(takeover.name, async (sub) => {
      await checkTold(sub, scene, takeover);
    });
  }
});

it('TAKEOVER_NOTICE=off: nobody is told', async (t) => {
  const scene = await startClientScene(t, APPS, { TAKEOVER_NOTICE: 'off' });
  for (const takeover of NOTICES) {
    await t.test(takeover.name, async (sub) => {
      await checkTold(sub, scene, { ...takeover, told: 'nothing' });
    });
  }
});

it('an alert for a debug build goes through the sandbox, as its calls do', async (t) => {
  const scene = await startClientScene(t, APPS);
  const takeover = {
    name: '',
    old: flutterWith(ALERT_TOKEN, { sandbox: true }),
    next: FLUTTER_ANDROID,
    told: 'alert',
  } as const;
  const { alerts } = await takeOver(scene, takeover);
  await until(() => alerts.length > 0, 'the old phone is told');
  assert.equal(scene.world.appleSandbox.requests.list().at(-1)?.token, ALERT_TOKEN);
  assert.equal(scene.world.apple.requests.count(), 0);
});

it('a notice to a token that is dead does not take the new phone away', async (t) => {
  const scene = await startClientScene(t, APPS);
  const android = { name: '', old: loggingAs('one'), next: loggingAs('two'), told: 'nothing' } as const;
  const ios = {
    name: '',
    old: flutterWith(ALERT_TOKEN),
    next: flutterWith(pushTokenOf('apns')),
    told: 'nothing',
  } as const;
  scene.world.apple.script(
    { kind: 'answer', status: 410, reason: 'Unregistered', timestamp: Date.now() + 3_600_000 },
    { token: ALERT_TOKEN },
  );
  const phone = scene.newPhone(android.old);
  scene.world.google.unregisterDevice(phone.pushToken);
  const next = nextPhoneOf(phone, android.next);
  await scene.send(android.old.register(phone));
  await scene.send(android.next.register(next));
  await until(
    () => scene.world.google.requests.list().some(({ token }) => token === phone.pushToken),
    'Google is asked',
  );
  await callAnotherOf(scene, android.old);
  await checkNewPhoneStays(scene, android, { phone, next, pushes: [], alerts: [] });

  const told = await takeOver(scene, ios);
  await until(() => requestTo(scene, ALERT_TOKEN).length > 0, 'Apple is asked');
  await callAnotherOf(scene, ios.old);
  await checkNewPhoneStays(scene, ios, told);
});
