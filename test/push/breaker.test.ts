import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BREAKER_SETTINGS, type Breaker, createBreaker } from '../../src/push/breaker.ts';
import type { FinalVerdict } from '../../src/push/push-provider.ts';
import { createHandClock } from './helpers/provider-fixture.ts';

const DOWN: FinalVerdict = { kind: 'unavailable', reason: 'ServiceUnavailable' };
const OK: FinalVerdict = { kind: 'accepted', reason: 'Accepted' };
const LONG = 4_000;

function scene() {
  const clock = createHandClock();
  const changes: string[] = [];
  const breaker = createBreaker({
    settings: BREAKER_SETTINGS,
    now: clock.now,
    onChange: (state, reason) => changes.push(`${state}: ${reason}`),
  });
  return { clock, breaker, changes };
}

function push(breaker: Breaker, verdict: FinalVerdict | undefined, hadMs = LONG): void {
  const pass = breaker.enter();
  assert.ok(pass, 'the breaker lets the push through');
  pass.end(verdict, hadMs);
}

function opened() {
  const made = scene();
  for (let i = 0; i < 5; i += 1) push(made.breaker, DOWN);
  assert.equal(made.breaker.state(), 'open');
  return made;
}

test('five failures in a row open it, four do not', () => {
  const { breaker, changes } = scene();
  for (let i = 0; i < 4; i += 1) push(breaker, DOWN);
  assert.equal(breaker.state(), 'closed');
  push(breaker, DOWN);
  assert.equal(breaker.enter(), undefined);
  assert.deepEqual(changes, ['open: ServiceUnavailable']);
});

test('a success in between starts the row anew', () => {
  const { breaker } = scene();
  for (let i = 0; i < 4; i += 1) push(breaker, DOWN);
  push(breaker, OK);
  for (let i = 0; i < 4; i += 1) push(breaker, DOWN);
  assert.equal(breaker.state(), 'closed');
});

test('failures spread over more than the window are no row', async () => {
  const { breaker, clock } = scene();
  for (let i = 0; i < 12; i += 1) {
    push(breaker, DOWN);
    await clock.advance(3_000);
  }
  assert.equal(breaker.state(), 'closed');
});

test('a refused credential opens it at once', () => {
  const { breaker } = scene();
  push(breaker, { kind: 'app-fault', reason: 'InvalidProviderToken' });
  assert.equal(breaker.state(), 'open');
});

test('answers about one phone or one message are successes of the push service', () => {
  const { breaker } = scene();
  const refusals: FinalVerdict[] = [
    { kind: 'token-dead', reason: 'Unregistered' },
    { kind: 'token-suspect', reason: 'BadDeviceToken' },
    { kind: 'our-fault', reason: 'BadPriority' },
    { kind: 'throttled', reason: 'TooManyRequests', scope: 'device' },
  ];
  for (const verdict of refusals) {
    for (let i = 0; i < 4; i += 1) push(breaker, DOWN);
    push(breaker, verdict);
  }
  assert.equal(breaker.state(), 'closed');
});

test('pushes that tell nothing neither open nor close it', () => {
  const { breaker } = scene();
  for (let i = 0; i < 20; i += 1) {
    push(breaker, { kind: 'withdrawn', reason: 'withdrawn' });
    push(breaker, { kind: 'overloaded', reason: 'queue-full' });
    push(breaker, undefined);
    push(breaker, { kind: 'unavailable', reason: 'timeout' }, 500);
    push(breaker, { kind: 'unavailable', reason: 'unreachable' }, 500);
  }
  assert.equal(breaker.state(), 'closed');
});

test('time-outs of pushes that had enough time open it', () => {
  const { breaker } = scene();
  for (let i = 0; i < 5; i += 1) push(breaker, { kind: 'unavailable', reason: 'timeout' });
  assert.equal(breaker.state(), 'open');
});

test('after the cool-down exactly one push goes through, and its success closes', async () => {
  const { breaker, clock, changes } = opened();
  await clock.advance(999);
  assert.equal(breaker.enter(), undefined);
  await clock.advance(1);
  const probe = breaker.enter();
  assert.ok(probe);
  assert.equal(breaker.enter(), undefined, 'the second one is refused while the probe is under way');
  assert.equal(breaker.state(), 'half-open');
  probe.end(OK, LONG);
  assert.equal(breaker.state(), 'closed');
  assert.ok(breaker.enter());
  assert.deepEqual(changes, ['open: ServiceUnavailable', 'half-open: cool-down-over', 'closed: Accepted']);
});

test('each failed probe doubles the cool-down, to 30 s at most; a success starts over', async () => {
  const { breaker, clock } = opened();
  for (const coolDown of [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
    await clock.advance(coolDown - 1);
    assert.equal(breaker.enter(), undefined, `still open before ${coolDown} ms`);
    await clock.advance(1);
    push(breaker, DOWN);
  }
  await clock.advance(30_000);
  push(breaker, OK);
  for (let i = 0; i < 5; i += 1) push(breaker, DOWN);
  await clock.advance(1_000);
  assert.ok(breaker.enter());
});

test('a probe that tells nothing makes room for the next one', async () => {
  const { breaker, clock } = opened();
  await clock.advance(1_000);
  push(breaker, { kind: 'withdrawn', reason: 'withdrawn' });
  push(breaker, { kind: 'unavailable', reason: 'timeout' }, 300);
  push(breaker, undefined);
  push(breaker, OK);
  assert.equal(breaker.state(), 'closed');
});

test('the push service may ask for up to a minute', async () => {
  const { breaker, clock } = scene();
  const quota: FinalVerdict = {
    kind: 'throttled',
    reason: 'QUOTA_EXCEEDED',
    scope: 'app',
    retryAfterMs: 600_000,
  };
  for (let i = 0; i < 5; i += 1) push(breaker, quota);
  await clock.advance(59_999);
  assert.equal(breaker.enter(), undefined);
  await clock.advance(1);
  assert.ok(breaker.enter());
});

test('old failures that end while it is open change nothing; an old success closes it', async () => {
  const { breaker, clock } = scene();
  const old = [breaker.enter(), breaker.enter(), breaker.enter()];
  push(breaker, { kind: 'app-fault', reason: 'Forbidden' });
  for (const pass of old.slice(0, 2)) pass?.end(DOWN, LONG);
  await clock.advance(1_000);
  const probe = breaker.enter();
  assert.ok(probe, 'the cool-down was not made longer');
  old[2]?.end(OK, LONG);
  assert.equal(breaker.state(), 'closed');
  probe.end(DOWN, LONG);
  assert.equal(breaker.state(), 'closed', 'one failure is no row');
});
