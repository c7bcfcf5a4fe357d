import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createTokenGuard, type TokenVerdict } from '../../src/push/token-guard.ts';
import { createHandClock, makeDevice } from './helpers/provider-fixture.ts';

const DEAD: TokenVerdict = { kind: 'token-dead', reason: 'UNREGISTERED' };
const SUSPECT: TokenVerdict = { kind: 'token-suspect', reason: 'BadDeviceToken' };
const HOUR = 3_600_000;

function scene() {
  const clock = createHandClock();
  return { clock, guard: createTokenGuard(clock.now) };
}

function phone(n: number) {
  return makeDevice({ account: 100_000_000 + n, token: `token-${n}` });
}

it('a dead token is dropped, also before the first success', () => {
  assert.deepEqual(scene().guard.refused(phone(1), DEAD), { kind: 'drop' });
});

it('a token that died before the registration is kept', () => {
  const { guard } = scene();
  const device = makeDevice({ registeredAt: 2_000 });
  assert.deepEqual(guard.refused(device, { ...DEAD, since: 2_001 }), {
    kind: 'drop',
    registeredBefore: 2_001,
  });
  const kept = { kind: 'keep', reason: 'registered-since', alarm: false };
  assert.deepEqual(guard.refused(device, { ...DEAD, since: 2_000 }), kept);
  assert.deepEqual(guard.refused(device, { ...DEAD, since: 1_000 }), kept);
});

it('twenty phones refused in a row are a fault of the setup: nothing is dropped, one alarm a minute', async () => {
  const { guard, clock } = scene();
  for (let i = 1; i <= 19; i += 1) assert.equal(guard.refused(phone(i), DEAD).kind, 'drop');
  const keep = (alarm: boolean) => ({ kind: 'keep', reason: 'setup-fault', alarm });
  assert.deepEqual(guard.refused(phone(20), DEAD), keep(true));
  assert.deepEqual(guard.refused(phone(21), SUSPECT), keep(false));
  await clock.advance(59_999);
  assert.deepEqual(guard.refused(phone(22), DEAD), keep(false));
  await clock.advance(1);
  assert.deepEqual(guard.refused(phone(23), DEAD), keep(true));
  guard.succeeded();
  assert.deepEqual(guard.refused(phone(24), DEAD), { kind: 'drop' });
});

it('one phone refused again and again is one phone', () => {
  const { guard } = scene();
  for (let i = 0; i < 50; i += 1) assert.equal(guard.refused(phone(1), DEAD).kind, 'drop');
  for (let i = 0; i < 50; i += 1)
    assert.equal(guard.refused({ ...phone(i), token: 'token-1' }, DEAD).kind, 'drop', 'under many accounts');
});

it('a suspect token is dropped only after a success of its app within the hour', async () => {
  const { guard, clock } = scene();
  const kept = { kind: 'keep', reason: 'no-recent-success', alarm: false };
  assert.deepEqual(guard.refused(phone(1), SUSPECT), kept);
  guard.succeeded();
  await clock.advance(HOUR);
  assert.deepEqual(guard.refused(phone(1), SUSPECT), { kind: 'drop' });
  await clock.advance(1);
  assert.deepEqual(guard.refused(phone(1), SUSPECT), kept);
});

it('a sixth suspect phone since the last success is kept', () => {
  const { guard } = scene();
  guard.succeeded();
  for (let i = 1; i <= 5; i += 1) assert.equal(guard.refused(phone(i), SUSPECT).kind, 'drop');
  assert.equal(guard.refused(phone(6), SUSPECT).kind, 'keep');
});
