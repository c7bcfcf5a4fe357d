import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createSuspects, type DeviceIdentity } from '../../src/push/suspects.ts';

const MINUTE_MS = 60_000;

function device(n: number): DeviceIdentity {
  return { account: 100_000_000 + n, token: `token-${n}` };
}

function scene() {
  const clock = { now: 1_000 };
  return { clock, suspects: createSuspects(() => clock.now) };
}

it('a failure is held against a device for ten minutes after its last one', () => {
  const { clock, suspects } = scene();
  suspects.add(device(1));
  clock.now += 9 * MINUTE_MS;
  const again = suspects.add(device(1));
  assert.deepEqual([again.since, again.failedAt], [1_000, 1_000 + 9 * MINUTE_MS]);
  clock.now += 10 * MINUTE_MS;
  assert.equal(suspects.of(device(1)), again);
  clock.now += 1;
  assert.equal(suspects.of(device(1)), undefined);
  assert.equal(suspects.add(device(1)).since, clock.now, 'it begins anew');
});

it('a device is known by its account and by its token', () => {
  const { suspects } = scene();
  const known = suspects.add(device(1));
  assert.equal(suspects.of({ ...device(1), token: 'another' }), known);
  assert.equal(suspects.of({ ...device(2), token: device(1).token }), known);
  assert.equal(suspects.of(device(2)), undefined);
  suspects.clear(device(1));
  assert.equal(suspects.of(device(1)), undefined);
  assert.equal(suspects.of({ ...device(2), token: device(1).token }), undefined);
});

it('a device fails alone once another has succeeded since its failures began', () => {
  const { suspects } = scene();
  suspects.clear(device(9));
  const known = suspects.add(device(1));
  assert.ok(!suspects.failsAlone(known), 'the success was before');
  suspects.clear(device(9));
  assert.ok(suspects.failsAlone(known));
  assert.ok(suspects.failsAlone(suspects.add(device(1))), 'its next failure changes nothing');
});

it('of more than a thousand devices the one that failed longest ago is forgotten', () => {
  const { suspects } = scene();
  for (let n = 0; n < 1_000; n += 1) suspects.add(device(n));
  suspects.add(device(0));
  assert.ok(suspects.of(device(1)));
  suspects.add(device(1_000));
  assert.deepEqual(
    [0, 1, 2, 1_000].map((n) => suspects.of(device(n)) !== undefined),
    [true, false, true, true],
  );
});
