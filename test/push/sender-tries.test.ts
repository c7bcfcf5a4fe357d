import assert from 'node:assert/strict';
import { test } from 'node:test';
import { settle } from './helpers/provider-fixture.ts';
import { BUSY, OK, ONCE, senderScene } from './helpers/sender-scene.ts';

test('an outage is tried again after a short pause, and the call is saved', async () => {
  const { send, variants, clock, events } = senderScene([BUSY, OK]);
  const result = send();
  await clock.advance(99);
  assert.equal(variants.length, 1);
  await clock.advance(1);
  assert.equal((await result).kind, 'accepted');
  assert.equal(variants.length, 2);
  assert.equal(events.named('pushRetried').length, 1);
});

test('the pauses are jittered', async () => {
  const { send, clock, variants } = senderScene([BUSY, OK], 2_000, 0.999);
  const result = send();
  await clock.advance(60);
  assert.equal(variants.length, 2);
  assert.equal((await result).kind, 'accepted');
});

test('three tries are the most', async () => {
  const { send, variants, clock } = senderScene([BUSY]);
  const result = send();
  await clock.advance(4_000);
  assert.deepEqual(await result, { kind: 'failed', reason: 'ServiceUnavailable' });
  assert.equal(variants.length, 3);
});

test('once is once for its reason', async () => {
  const { send, variants } = senderScene([ONCE]);
  assert.deepEqual(await send(), { kind: 'failed', reason: 'ServiceUnavailable' });
  assert.equal(variants.length, 2);
});

test('what one answer asked for is kept by the next try', async () => {
  const { send, variants } = senderScene([
    { ...ONCE, reason: 'PayloadTooLarge', variant: { minimal: true } },
    { ...ONCE, reason: 'BadDeviceToken', variant: { otherEnvironment: true } },
    OK,
  ]);
  assert.equal((await send()).kind, 'accepted');
  assert.deepEqual(variants, [
    { minimal: false, otherEnvironment: false },
    { minimal: true, otherEnvironment: false },
    { minimal: true, otherEnvironment: true },
  ]);
});

test('a pause that does not fit before the deadline is not waited for', async () => {
  const late = senderScene([{ ...BUSY, afterMs: 3_801 }, OK]);
  assert.equal((await late.send()).kind, 'failed');
  assert.equal(late.variants.length, 1);
  const inTime = senderScene([{ ...BUSY, afterMs: 3_800 }, OK]);
  const result = inTime.send();
  await inTime.clock.advance(3_800);
  assert.equal((await result).kind, 'accepted');
});

test('a call that ends during the pause is not pushed again', async () => {
  const { send, variants, clock } = senderScene([BUSY, OK]);
  let over = false;
  const result = send({ wanted: () => !over });
  await settle();
  over = true;
  await clock.advance(100);
  assert.equal((await result).kind, 'withdrawn');
  assert.equal(variants.length, 1);
});

test('closing ends the pauses', async () => {
  const { send, sender, clock } = senderScene([{ ...BUSY, afterMs: 3_000 }]);
  const result = send();
  await settle();
  await sender.close();
  assert.deepEqual(await result, { kind: 'failed', reason: 'ServiceUnavailable' });
  assert.equal(clock.timers(), 0);
});
