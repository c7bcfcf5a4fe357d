import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PushVerdict } from '../../src/push/push-provider.ts';
import { makeDevice } from './helpers/provider-fixture.ts';
import { another, DEAD, DOWN, OK, ONCE, senderScene } from './helpers/sender-scene.ts';

it('a push that is taken is told with everything but secrets', async () => {
  const { send, events } = senderScene([OK]);
  assert.deepEqual(await send(), { kind: 'accepted', reason: 'Accepted' });
  assert.deepEqual(events.told, [
    {
      name: 'pushEnded',
      event: {
        app: 1,
        appId: 'com.example.phone',
        platform: 'apns',
        provider: 'apns',
        pushId: '6f9619ff-8b86-4d11-b42d-00c04fc964ff',
        uniqueKey: '0123456789abcdef0123456789abcdef',
        attempt: 1,
        account: 123_456_789,
        kind: 'accepted',
        verdict: 'accepted',
        reason: 'Accepted',
        tookMs: 0,
        tries: 1,
      },
    },
  ]);
});

const RESULTS: readonly (readonly [PushVerdict, string])[] = [
  [DEAD, 'token-gone'],
  [{ kind: 'token-suspect', reason: 'BadDeviceToken' }, 'token-gone'],
  [{ kind: 'our-fault', reason: 'BadTopic' }, 'failed'],
  [{ kind: 'app-fault', reason: 'Forbidden' }, 'provider-down'],
  [{ kind: 'throttled', reason: 'TooManyRequests', scope: 'device' }, 'failed'],
  [DOWN, 'failed'],
  [{ kind: 'overloaded', reason: 'queue-full' }, 'overloaded'],
  [{ kind: 'withdrawn', reason: 'withdrawn' }, 'withdrawn'],
];

for (const [verdict, kind] of RESULTS)
  it(`${verdict.kind} ends the push as ${kind}`, async () => {
    const { send, variants } = senderScene([verdict]);
    assert.deepEqual(await send(), { kind, reason: verdict.reason });
    assert.equal(variants.length, verdict.kind === 'app-fault' ? 2 : 1);
  });

it('faults of the app and of ours are told as such', async () => {
  const app = senderScene([{ kind: 'app-fault', reason: 'Forbidden' }]);
  await app.send();
  assert.deepEqual(app.events.named('appFault'), [
    { app: 1, appId: 'com.example.phone', platform: 'apns', reason: 'Forbidden' },
  ]);
  const ours = senderScene([{ kind: 'our-fault', reason: 'BadTopic' }]);
  await ours.send();
  assert.equal(ours.events.named('ourFault').length, 1);
});

const REFUSED = { kind: 'app-fault', reason: 'InvalidProviderToken' } as const satisfies PushVerdict;

it('a push refused once is sent again at once, and the call is saved', async () => {
  const { send, variants, events } = senderScene([OK, REFUSED, OK]);
  await send();
  assert.deepEqual(await send(), { kind: 'accepted', reason: 'Accepted' });
  assert.equal(variants.length, 3);
  assert.equal(events.named('pushRetried').length, 1);
  assert.deepEqual(events.named('pushRefused'), []);
  assert.deepEqual(events.named('appFault'), []);
});

it('refused twice by a credential that was accepted moments ago: this push alone fails, and it is told', async () => {
  const { send, events } = senderScene([OK, REFUSED, REFUSED, OK]);
  await send();
  assert.deepEqual(await send({ device: another(1) }), { kind: 'failed', reason: 'InvalidProviderToken' });
  const told = events.named('pushRefused');
  assert.equal(told.length, 1);
  assert.ok(told[0] && 'reason' in told[0] && told[0].reason === 'InvalidProviderToken');
  assert.deepEqual(events.named('appFault'), []);
  assert.equal((await send({ device: another(2) })).kind, 'accepted');
});

it('three phones refused at the same moment by a credential that was good: only their calls fail', async () => {
  const { send, clock, answer, events } = senderScene([OK]);
  await send();
  const refused = clock.advance(50).then(() => REFUSED);
  answer(refused);
  const results = await Promise.all([1, 2, 3].map((n) => send({ device: another(n) })));
  for (const result of results) assert.deepEqual(result, { kind: 'failed', reason: 'InvalidProviderToken' });
  assert.equal(events.named('pushRefused').length, 3);
  answer(OK);
  assert.equal((await send()).kind, 'accepted');
  assert.deepEqual(events.named('breakerChanged'), []);
});

it('a credential that is revoked: the third phone in a row is told as a fault of the app', async () => {
  const { send, events } = senderScene([OK, REFUSED]);
  await send();
  const kinds = [];
  for (let i = 1; i <= 4; i += 1) kinds.push((await send({ device: another(i) })).kind);
  assert.deepEqual(kinds, ['failed', 'failed', 'provider-down', 'provider-down']);
  assert.equal(events.named('pushRefused').length, 2);
  assert.equal(events.named('appFault').length, 1);
  assert.equal(events.named('breakerChanged').length, 1);
});

it('a refusal that leaves no time is final, another word is no reason for a third try, nor is what was not sent', async () => {
  const late = senderScene([REFUSED, OK]);
  assert.equal((await late.send({ deadline: late.clock.now() + 199 })).kind, 'provider-down');
  assert.equal(late.variants.length, 1);
  const twice = senderScene([REFUSED, { kind: 'app-fault', reason: 'Forbidden' }, OK]);
  assert.deepEqual(await twice.send(), { kind: 'provider-down', reason: 'Forbidden' });
  const unsent = senderScene([{ kind: 'app-fault', reason: 'key-unusable', unsent: true }, OK]);
  assert.equal((await unsent.send()).kind, 'provider-down');
  assert.equal(unsent.variants.length, 1);
});

it('a way that works again has the next call be the probe at once', async () => {
  const { send, comeBack, events } = senderScene([DOWN, DOWN, DOWN, DOWN, DOWN, OK]);
  for (let i = 0; i < 5; i += 1) await send({ device: another(i) });
  assert.equal((await send()).kind, 'provider-down');
  comeBack();
  assert.equal((await send()).kind, 'accepted');
  assert.deepEqual(
    events.named('breakerChanged').map((event) => 'reason' in event && event.reason),
    ['connection-lost', 'connected', 'Accepted'],
  );
});

it('an app that is not known is down', async () => {
  const { send } = senderScene([OK]);
  assert.deepEqual(await send({ device: makeDevice({ appKey: 2 }) }), {
    kind: 'provider-down',
    reason: 'unknown-app',
  });
});

it('what nobody waits for any more is not sent', async () => {
  const { send, variants, clock } = senderScene([OK]);
  assert.equal((await send({ wanted: () => false })).kind, 'withdrawn');
  assert.deepEqual(await send({ deadline: clock.now() }), { kind: 'failed', reason: 'timeout' });
  assert.equal(variants.length, 0);
});

it('at the bound of what is in flight the next push is refused, and none is queued', async () => {
  let finish = (_verdict: PushVerdict): void => {};
  const slow = new Promise<PushVerdict>((resolve) => {
    finish = resolve;
  });
  const { send, variants } = senderScene([slow, slow, OK], 2);
  const first = [send(), send()];
  assert.deepEqual(await send(), { kind: 'overloaded', reason: 'too-many-in-flight' });
  assert.equal(variants.length, 2);
  finish(OK);
  await Promise.all(first);
  assert.equal((await send()).kind, 'accepted');
});

it('after a row of failures callers are told at once, and one probe finds the push service back', async () => {
  const { send, variants, clock, events, counts } = senderScene([DOWN, DOWN, DOWN, DOWN, DOWN, OK]);
  for (let i = 0; i < 5; i += 1) assert.equal((await send({ device: another(i) })).kind, 'failed');
  const warmings = counts.warmings;
  assert.deepEqual(await send(), { kind: 'provider-down', reason: 'breaker-open' });
  assert.equal(variants.length, 5);
  assert.equal(counts.warmings, warmings + 1, 'what is missing is looked for while calls come');
  await clock.advance(1_000);
  const results = await Promise.all([send(), send(), send()]);
  assert.deepEqual(
    results.map(({ kind }) => kind),
    ['accepted', 'provider-down', 'provider-down'],
  );
  assert.deepEqual(events.named('breakerChanged').at(0), {
    app: 1,
    appId: 'com.example.phone',
    platform: 'apns',
    environment: 'production',
    state: 'open',
    reason: 'connection-lost',
  });
});

it('calls that were too short to be answered do not stop others', async () => {
  const { send, clock } = senderScene([{ kind: 'unavailable', reason: 'timeout' }]);
  for (let i = 0; i < 10; i += 1) assert.equal((await send({ deadline: clock.now() + 900 })).kind, 'failed');
});

it('a key that the sandbox refuses does not stop the calls of production', async () => {
  const refused = { kind: 'app-fault', reason: 'BadEnvironmentKeyIdInToken' } as const;
  const { send } = senderScene([...Array<PushVerdict>(6).fill(refused), OK]);
  const sandboxed = (n: number) => ({ device: another(n, { sandbox: true }) });
  for (let i = 0; i < 3; i += 1) assert.equal((await send(sandboxed(i))).kind, 'provider-down');
  assert.deepEqual(await send(sandboxed(4)), { kind: 'provider-down', reason: 'breaker-open' });
  assert.equal((await send()).kind, 'accepted');
});

it('an outage of the other environment is not held against the device its own one', async () => {
  const other = { ...ONCE, reason: 'BadDeviceToken', variant: { otherEnvironment: true } };
  const { send } = senderScene([other, DOWN, other, DOWN, other, DOWN, other, DOWN, other, DOWN, OK]);
  for (let i = 0; i < 5; i += 1) assert.equal((await send()).kind, 'failed');
  assert.equal((await send()).kind, 'accepted');
});

it('a provider that throws costs its own push alone', async () => {
  const broken = (): PushVerdict => {
    throw new TypeError('a bug');
  };
  const { send, events } = senderScene([broken, OK], 1);
  assert.deepEqual(await send(), { kind: 'failed', reason: 'internal-error' });
  assert.equal(events.named('ourFault').length, 1);
  assert.equal((await send()).kind, 'accepted');
});
