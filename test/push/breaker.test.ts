import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { FinalVerdict } from '../../src/push/push-provider.ts';
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

describe('what opens it', () => {
  it('five devices that fail in a row, not four', () => {
    const { breaker, changes } = scene();
    for (let i = 0; i < 4; i += 1) push(breaker, DOWN);
    assert.equal(breaker.state(), 'closed');
    push(breaker, DOWN);
    assert.equal(breaker.enter(newPhone()), undefined);
    assert.deepEqual(changes, ['open: ServiceUnavailable']);
  });

  it('three devices whose pushes are refused in a row, not two', () => {
    const { breaker } = scene();
    push(breaker, REFUSED);
    push(breaker, REFUSED);
    assert.equal(breaker.state(), 'closed');
    assert.equal(
      push(breaker, REFUSED),
      false,
      'the refusal that opens it is not held to be one device alone',
    );
    assert.equal(breaker.state(), 'open');
  });

  it('three refusals of pushes that were under way together, only if more follow: the credential was good a moment ago', async () => {
    const { breaker, clock } = scene();
    push(breaker, OK);
    const together = [newPhone(), newPhone(), newPhone()].map((device) => ({
      device,
      pass: breaker.enter(device),
    }));
    for (const { device, pass } of together) {
      await clock.advance(5);
      assert.equal(pass?.end(device, REFUSED, LONG), true, 'held to be this device alone');
    }
    assert.equal(breaker.state(), 'closed');
    push(breaker, REFUSED);
    assert.equal(breaker.state(), 'open', 'a push that began after them');
  });

  it('refusals of pushes that were under way together, once they go on for 200 ms', async () => {
    const { breaker, clock } = scene();
    push(breaker, OK);
    const together = Array.from({ length: 5 }, newPhone).map((device) => ({
      device,
      pass: breaker.enter(device),
    }));
    await clock.advance(1);
    for (const { device, pass } of together) {
      assert.equal(breaker.state(), 'closed');
      pass?.end(device, REFUSED, LONG);
      await clock.advance(50);
    }
    assert.equal(breaker.state(), 'open');
  });

  it('failures after which pushes are tried again, once they have lasted for a second', async () => {
    const { breaker, clock } = scene();
    push(breaker, DOWN, phone(1));
    push(breaker, OK);
    push(breaker, DOWN, phone(1));
    await clock.advance(3_000);
    const waiting = Array.from({ length: 6 }, newPhone).map((device) => ({
      device,
      pass: breaker.enter(device),
    }));
    for (const { device, pass } of waiting) assert.equal(pass?.failed(device, DOWN), 'uncertain');
    await clock.advance(999);
    for (const { device, pass } of waiting) assert.equal(pass?.failed(device, DOWN), 'uncertain');
    await clock.advance(1);
    for (const { device, pass } of waiting) assert.equal(pass?.failed(device, DOWN), 'down');
    assert.equal(breaker.state(), 'open');
  });

  it('a success in between starts the row anew', () => {
    const { breaker } = scene();
    for (const [verdict, times] of [
      [DOWN, 4],
      [REFUSED, 2],
    ] as const) {
      for (let round = 0; round < 3; round += 1) {
        for (let i = 0; i < times; i += 1) push(breaker, verdict);
        push(breaker, OK);
      }
    }
    assert.equal(breaker.state(), 'closed');
  });

  it('failures spread over more than the window are no row', async () => {
    const { breaker, clock } = scene();
    for (let i = 0; i < 12; i += 1) {
      push(breaker, DOWN);
      await clock.advance(3_000);
    }
    assert.equal(breaker.state(), 'closed');
  });

  it('devices that failed in an earlier row count in a later one, if nothing succeeded meanwhile', async () => {
    const { breaker, clock } = scene();
    for (let i = 1; i <= 4; i += 1) push(breaker, DOWN, phone(i));
    await clock.advance(10_001);
    for (let i = 1; i <= 4; i += 1) push(breaker, DOWN, phone(i));
    assert.equal(breaker.state(), 'closed');
    push(breaker, DOWN, phone(5));
    assert.equal(breaker.state(), 'open');
  });

  const every: readonly FinalVerdict[] = [
    REFUSED,
    DOWN,
    { kind: 'unavailable', reason: 'timeout' },
    { kind: 'unavailable', reason: 'connection-lost' },
    { kind: 'throttled', reason: 'QUOTA_EXCEEDED', scope: 'app', retryAfterMs: 60_000 },
  ];
  for (const verdict of every)
    it(`one device alone does not: ${verdict.reason}`, async () => {
      const { breaker, clock, changes } = scene();
      for (let i = 0; i < 200; i += 1) {
        push(breaker, verdict, phone(1));
        await clock.advance(i % 2 === 0 ? 0 : 700);
      }
      assert.deepEqual(changes, []);
    });

  it('an account with ever new tokens, and a token under ever new accounts, are one device', () => {
    const { breaker } = scene();
    for (let i = 0; i < 10; i += 1) push(breaker, REFUSED, { account: 100_000_001, token: `token-${i}` });
    assert.equal(breaker.state(), 'closed');
    push(breaker, OK);
    for (let i = 0; i < 10; i += 1) push(breaker, REFUSED, { account: 200_000_000 + i, token: 'token' });
    assert.equal(breaker.state(), 'closed');
  });

  it('devices that always fail while others succeed do not, however many they are', () => {
    const { breaker, changes } = scene();
    for (let i = 1; i <= 10; i += 1) {
      push(breaker, REFUSED, phone(i));
      push(breaker, OK, phone(1_000));
    }
    for (let i = 1; i <= 10; i += 1) push(breaker, REFUSED, phone(i));
    assert.deepEqual(changes, []);
  });

  it('a device that has succeeded since is a witness again', () => {
    const { breaker } = scene();
    for (const verdict of [REFUSED, OK, REFUSED])
      for (let i = 1; i <= (verdict === OK ? 3 : 2); i += 1) push(breaker, verdict, phone(i));
    push(breaker, REFUSED, phone(3));
    assert.equal(breaker.state(), 'open');
  });

  it('what failed before anything was sent counts for one device as well', () => {
    const { breaker } = scene();
    for (let i = 0; i < 5; i += 1) push(breaker, UNREACHABLE, phone(1));
    assert.equal(breaker.state(), 'open');
  });

  it('without a credential once is enough', () => {
    const { breaker } = scene();
    push(breaker, { kind: 'app-fault', reason: 'oauth-invalid-grant', unsent: true });
    assert.equal(breaker.state(), 'open');
  });

  it('answers about one phone or one message are successes of the push service', () => {
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

  it('pushes that tell nothing neither open nor close it', () => {
    const { breaker } = scene();
    for (let i = 0; i < 20; i += 1) {
      push(breaker, { kind: 'withdrawn', reason: 'withdrawn' });
      push(breaker, { kind: 'overloaded', reason: 'queue-full' });
      push(breaker, undefined);
      push(breaker, { kind: 'unavailable', reason: 'timeout' }, newPhone(), 500);
      push(breaker, UNREACHABLE, newPhone(), 500);
    }
    assert.equal(breaker.state(), 'closed');
  });

  it('time-outs of pushes that had enough time', () => {
    assert.equal(opened({ kind: 'unavailable', reason: 'timeout' }).breaker.state(), 'open');
  });
});

describe('whether a refusal concerns its device alone', () => {
  it('yes, if the credential was accepted within the last minute', async () => {
    const { breaker, clock } = scene();
    push(breaker, OK);
    await clock.advance(60_000);
    assert.equal(push(breaker, REFUSED), true);
    await clock.advance(1);
    assert.equal(push(breaker, REFUSED), false);
  });

  it('yes, if others have succeeded since it was refused first, however long ago', async () => {
    const { breaker, clock } = scene();
    assert.equal(push(breaker, REFUSED, phone(1)), false, 'nothing has ever been accepted');
    push(breaker, OK, phone(2));
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(300_000);
      assert.equal(push(breaker, REFUSED, phone(1)), true);
    }
  });

  it('no, if nothing was sent', () => {
    const { breaker } = scene();
    push(breaker, OK);
    assert.equal(push(breaker, { kind: 'app-fault', reason: 'key-unusable', unsent: true }), false);
  });
});
