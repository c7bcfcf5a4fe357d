import assert from 'node:assert/strict';
import { it } from 'node:test';
import { settle } from './helpers/provider-fixture.ts';
import { another, BUSY, OK, ONCE, senderScene } from './helpers/sender-scene.ts';

it('an outage is tried again after a short pause, and the call is saved', async () => {
  const { send, variants, clock, events } = senderScene([BUSY, OK]);
  const result = send();
  await clock.advance(99);
  assert.equal(variants.length, 1);
  await clock.advance(1);
  assert.equal((await result).kind, 'accepted');
  assert.equal(variants.length, 2);
  assert.equal(events.named('pushRetried').length, 1);
});

it('the pauses are jittered', async () => {
  const { send, clock, variants } = senderScene([BUSY, OK], 2_000, 0.999);
  const result = send();
  await clock.advance(60);
  assert.equal(variants.length, 2);
  assert.equal((await result).kind, 'accepted');
});

it('six tries are the most, with pauses that grow', async () => {
  const { send, clock, events } = senderScene([BUSY]);
  const result = send();
  await clock.advance(4_000);
  assert.deepEqual(await result, { kind: 'failed', reason: 'ServiceUnavailable' });
  const pauses = events.named('pushRetried').map((event) => 'inMs' in event && event.inMs);
  assert.deepEqual(pauses, [100, 200, 400, 800, 800]);
});

function calls(send: ReturnType<typeof senderScene>['send'], count: number) {
  return Array.from({ length: count }, (_, n) => send({ device: another(n) }));
}

it('a blip of less than a second costs no call: of those that wait, and of those that come meanwhile', async () => {
  const { send, clock, answer, events } = senderScene([BUSY]);
  const waiting = calls(send, 20);
  await clock.advance(500);
  waiting.push(send({ device: another(100) }));
  await clock.advance(300);
  answer(OK);
  await clock.advance(1_500);
  for (const result of await Promise.all(waiting)) assert.equal(result.kind, 'accepted');
  assert.deepEqual(events.named('breakerChanged'), []);
});

it('an outage of a second opens the breaker: pushes that wait end, and none but the probe is sent', async () => {
  const { send, clock, variants, events } = senderScene([BUSY]);
  const waiting = calls(send, 20);
  await clock.advance(1_000);
  assert.deepEqual(events.named('breakerChanged'), []);
  await clock.advance(500);
  const down = { kind: 'provider-down', reason: 'ServiceUnavailable' };
  assert.deepEqual(await Promise.all(waiting), Array(20).fill(down));
  assert.equal(events.named('breakerChanged').length, 1);
  const before = variants.length;
  assert.deepEqual(await send(), { kind: 'provider-down', reason: 'breaker-open' });
  await clock.advance(1_000);
  assert.deepEqual(await send(), down, 'the probe is tried once');
  assert.equal(variants.length, before + 1);
});

it('a phone that failed before, while others succeed, is tried twice', async () => {
  const scene = senderScene([BUSY]);
  for (const [tries, before] of [
    [6, OK],
    [2, OK],
  ] as const) {
    scene.answer(before);
    await scene.send({ device: another(1) });
    scene.answer(BUSY);
    const sent = scene.variants.length;
    const result = scene.send();
    await scene.clock.advance(4_000);
    assert.equal((await result).kind, 'failed');
    assert.equal(scene.variants.length, sent + tries);
  }
});

it('once is once for its reason', async () => {
  const { send, variants } = senderScene([ONCE]);
  assert.deepEqual(await send(), { kind: 'failed', reason: 'ServiceUnavailable' });
  assert.equal(variants.length, 2);
});

it('what one answer asked for is kept by the next try', async () => {
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

it('a pause that does not fit before the deadline is not waited for', async () => {
  const late = senderScene([{ ...BUSY, afterMs: 3_801 }, OK]);
  assert.equal((await late.send()).kind, 'failed');
  assert.equal(late.variants.length, 1);
  const inTime = senderScene([{ ...BUSY, afterMs: 3_800 }, OK]);
  const result = inTime.send();
  await inTime.clock.advance(3_800);
  assert.equal((await result).kind, 'accepted');
});

it('a call that ends during the pause is not pushed again', async () => {
  const { send, variants, clock } = senderScene([BUSY, OK]);
  let over = false;
  const result = send({ wanted: () => !over });
  await settle();
  over = true;
  await clock.advance(100);
  assert.equal((await result).kind, 'withdrawn');
  assert.equal(variants.length, 1);
});

it('closing ends the pauses', async () => {
  const { send, sender, clock } = senderScene([{ ...BUSY, afterMs: 3_000 }]);
  const result = send();
  await settle();
  await sender.close();
  assert.deepEqual(await result, { kind: 'failed', reason: 'ServiceUnavailable' });
  assert.equal(clock.timers(), 0);
});
