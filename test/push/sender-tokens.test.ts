import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { PushVerdict } from '../../src/push/push-provider.ts';
import { makeDevice } from './helpers/provider-fixture.ts';
import { DEAD, OK, senderScene } from './helpers/sender-scene.ts';

it('a dead token is dropped from the store if it was registered before', async () => {
  const { send, sender, stored, events } = senderScene([DEAD]);
  await send();
  await sender.close();
  assert.deepEqual(stored, [
    {
      name: 'drop',
      account: 123_456_789,
      token: 'a1b2c3d4',
      appKey: 1,
      registeredBefore: 1_800_000_000_000,
    },
  ]);
  assert.equal(events.named('tokenDropped').length, 1);
});

it('where no time is told, a registration that came meanwhile is spared', async () => {
  const { send, sender, stored } = senderScene([{ kind: 'token-dead', reason: 'UNREGISTERED' }]);
  await send();
  await sender.close();
  assert.deepEqual(
    stored.map((entry) => 'registeredBefore' in entry && entry.registeredBefore),
    [1_700_000_000_001],
  );
});

it('a suspect token is dropped after a success of the app, and kept before', async () => {
  const suspect: PushVerdict = { kind: 'token-suspect', reason: 'BadDeviceToken' };
  const { send, sender, stored, events } = senderScene([suspect, OK, suspect]);
  assert.equal((await send()).kind, 'token-gone');
  assert.equal(stored.length, 0);
  assert.equal(events.named('tokenKept').length, 1);
  await send();
  await send();
  await sender.close();
  assert.equal(stored.length, 1);
});

it('twenty phones refused in a row: the rest keep their tokens and somebody is called', async () => {
  const { send, sender, stored, events } = senderScene([DEAD]);
  for (let i = 0; i < 40; i += 1)
    await send({ device: makeDevice({ account: 200_000_000 + i, token: `token-${i}` }) });
  await sender.close();
  assert.equal(stored.length, 19);
  const kept = events.named('tokenKept');
  assert.equal(kept.length, 21);
  assert.equal(kept.filter((event) => 'alarm' in event && event.alarm === true).length, 1);
});

it('the environment that a token was found in is noted', async () => {
  const { send, sender, stored } = senderScene([{ kind: 'accepted', reason: 'Accepted', sandbox: true }]);
  await send();
  await sender.close();
  assert.deepEqual(stored, [{ name: 'sandbox', account: 123_456_789, token: 'a1b2c3d4', sandbox: true }]);
});

it('a notice says nothing about the stored token', async () => {
  const { send, sender, stored, events } = senderScene([DEAD]);
  const result = await send({ message: { kind: 'notice', text: 'T', channel: 'voip' } });
  await sender.close();
  assert.equal(result.kind, 'token-gone');
  assert.equal(stored.length, 0);
  assert.deepEqual(events.named('tokenKept'), []);
});

it('a store that fails is told of and costs no push', async () => {
  const { send, sender, events, failStore } = senderScene([DEAD]);
  failStore(new Error('database is locked'));
  assert.equal((await send()).kind, 'token-gone');
  await sender.close();
  assert.equal(events.named('tokenStoreFailed').length, 1);
});
