import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DOWN,
  LONG,
  newPhone,
  OK,
  opened,
  phone,
  push,
  REFUSED,
  scene,
  UNREACHABLE,
} from './helpers/breaker-scene.ts';

describe('how it closes', () => {
  it('after the cool-down exactly one push goes through, and its success closes', async () => {
    const { breaker, clock, changes } = opened();
    await clock.advance(999);
    assert.equal(breaker.enter(newPhone()), undefined);
    await clock.advance(1);
    const probe = breaker.enter(phone(1));
    assert.ok(probe);
    assert.equal(
      breaker.enter(newPhone()),
      undefined,
      'the second one is refused while the probe is under way',
    );
    assert.equal(breaker.state(), 'half-open');
    probe.end(phone(1), OK, LONG);
    assert.equal(breaker.state(), 'closed');
    assert.ok(breaker.enter(newPhone()));
    assert.deepEqual(changes, ['open: ServiceUnavailable', 'half-open: cool-down-over', 'closed: Accepted']);
  });

  it('a failed probe makes the cool-down two seconds, and no longer', async () => {
    const { breaker, clock } = opened();
    for (const coolDown of [1_000, 2_000, 2_000, 2_000]) {
      await clock.advance(coolDown - 1);
      assert.equal(breaker.enter(newPhone()), undefined, `still open before ${coolDown} ms`);
      await clock.advance(1);
      push(breaker, DOWN);
    }
    await clock.advance(2_000);
    push(breaker, OK);
    for (let i = 0; i < 5; i += 1) push(breaker, DOWN);
    await clock.advance(1_000);
    assert.ok(breaker.enter(newPhone()), 'a success starts over');
  });

  it('a probe that tells nothing makes room for the next one', async () => {
    const { breaker, clock } = opened();
    await clock.advance(1_000);
    push(breaker, { kind: 'withdrawn', reason: 'withdrawn' });
    push(breaker, { kind: 'unavailable', reason: 'timeout' }, newPhone(), 300);
    push(breaker, undefined);
    push(breaker, OK);
    assert.equal(breaker.state(), 'closed');
  });

  it('the push service may ask for up to ten seconds', async () => {
    const { breaker, clock } = opened({
      kind: 'throttled',
      reason: 'QUOTA_EXCEEDED',
      scope: 'app',
      retryAfterMs: 600_000,
    });
    await clock.advance(9_999);
    assert.equal(breaker.enter(newPhone()), undefined);
    await clock.advance(1);
    assert.ok(breaker.enter(newPhone()));
  });

  it('old failures that end while it is open change nothing; an old success closes it', async () => {
    const { breaker, clock } = scene();
    const old = [phone(1), phone(2), phone(3)].map((device) => ({ device, pass: breaker.enter(device) }));
    for (let i = 0; i < 5; i += 1) push(breaker, DOWN);
    for (const { device, pass } of old.slice(0, 2)) pass?.end(device, DOWN, LONG);
    await clock.advance(1_000);
    const probe = breaker.enter(phone(4));
    assert.ok(probe, 'the cool-down was not made longer');
    old[2]?.pass?.end(phone(3), OK, LONG);
    assert.equal(breaker.state(), 'closed');
    probe.end(phone(4), DOWN, LONG);
    assert.equal(breaker.state(), 'closed', 'one failure is no row');
  });

  it('pushes from before the opening that are tried again while it is open do not prolong it', async () => {
    const { breaker, clock, changes } = scene();
    const old = Array.from({ length: 5 }, newPhone).map((device) => ({
      device,
      pass: breaker.enter(device),
    }));
    for (let i = 0; i < 5; i += 1) push(breaker, DOWN);
    for (let ms = 0; ms < 1_000; ms += 500) {
      for (const { device, pass } of old) assert.equal(pass?.failed(device, DOWN), 'down');
      await clock.advance(500);
    }
    for (const { device, pass } of old) assert.equal(pass?.failed(device, DOWN), 'down');
    push(breaker, OK);
    assert.deepEqual(changes, ['open: ServiceUnavailable', 'half-open: cool-down-over', 'closed: Accepted']);
  });

  it('a device that always failed while others succeeded is never the probe, and keeps nobody from being it', async () => {
    const { breaker, clock } = scene();
    push(breaker, REFUSED, phone(1));
    push(breaker, OK, phone(2));
    for (let i = 10; i < 15; i += 1) push(breaker, DOWN, phone(i));
    await clock.advance(1_000);
    const hanging = breaker.enter(phone(1));
    assert.ok(hanging, 'it is let through beside the probe');
    push(breaker, REFUSED, phone(1));
    assert.equal(breaker.state(), 'open');
    push(breaker, OK, phone(2));
    assert.equal(breaker.state(), 'closed');
    hanging.end(phone(1), DOWN, LONG);
    assert.equal(breaker.state(), 'closed');
  });

  it('a device that failed as the probe is not judged by again for ten seconds; its success closes', async () => {
    const { breaker, clock, changes } = opened();
    await clock.advance(1_000);
    push(breaker, DOWN, phone(1));
    await clock.advance(2_000);
    push(breaker, DOWN, phone(1));
    assert.ok(breaker.enter(phone(2)), 'another one is the probe all the same');
    push(breaker, OK, phone(1));
    assert.equal(breaker.state(), 'closed');
    assert.deepEqual(
      changes.filter((change) => change.startsWith('open')),
      ['open: ServiceUnavailable', 'open: ServiceUnavailable'],
    );
  });

  it("a probe that cannot be sent is nobody's fault: the next probe may be the same device", async () => {
    const { breaker, clock } = opened(UNREACHABLE);
    for (const coolDown of [1_000, 2_000, 2_000]) {
      await clock.advance(coolDown);
      push(breaker, UNREACHABLE, phone(1));
      assert.equal(breaker.enter(phone(1)), undefined);
    }
  });
});

describe('when the way is back', () => {
  it('the next push is the probe at once, whatever the push service had asked for', async () => {
    const { breaker, changes } = opened({
      kind: 'throttled',
      reason: 'QUOTA_EXCEEDED',
      scope: 'app',
      retryAfterMs: 60_000,
    });
    breaker.revive('connected');
    assert.equal(breaker.state(), 'half-open');
    push(breaker, OK);
    assert.deepEqual(changes, ['open: QUOTA_EXCEEDED', 'half-open: connected', 'closed: Accepted']);
  });

  it('it changes nothing while pushes go through or a probe is under way', () => {
    const { breaker, changes } = scene();
    breaker.revive('connected');
    assert.deepEqual(changes, []);
    for (let i = 0; i < 5; i += 1) push(breaker, DOWN);
    breaker.revive('connected');
    assert.ok(breaker.enter(newPhone()));
    breaker.revive('connected');
    assert.equal(breaker.enter(newPhone()), undefined);
  });

  it('a peer that accepts connections and refuses everything gets one probe a second, however often it connects', async () => {
    const { breaker, clock } = opened();
    let probes = 0;
    for (let ms = 0; ms < 10_000; ms += 50) {
      breaker.revive('connected');
      const device = newPhone();
      const pass = breaker.enter(device);
      if (pass !== undefined) probes += 1;
      pass?.end(device, { kind: 'unavailable', reason: 'connection-lost' }, LONG);
      await clock.advance(50);
    }
    assert.equal(probes, 10);
  });
});
