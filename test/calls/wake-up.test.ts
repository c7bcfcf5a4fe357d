import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Call } from '../../src/calls/call.ts';
import { attemptsFor, wakePhone } from '../../src/calls/wake-up.ts';
import type { Device } from '../../src/devices/device.ts';
import type { PushRequest } from '../../src/push/push-provider.ts';
import type { PushResult } from '../../src/push/push-result.ts';
import { makeDevice } from '../push/helpers/provider-fixture.ts';

const ACCEPTED: PushResult = { kind: 'accepted', reason: 'Accepted' };
const WAIT_MS = 4_000;

/** A phone that is woken for a call, on a clock that only the test moves; the call was asked 500 ms ago. */
function wake(
  t: TestContext,
  pushed: (request: PushRequest) => Promise<PushResult>,
  { maxAttempts = 3, device = {} }: { readonly maxAttempts?: number; readonly device?: Partial<Device> } = {},
) {
  const clock = { now: 10_500 };
  t.mock.timers.enable({ apis: ['setTimeout'] });
  t.mock.method(performance, 'now', () => clock.now);
  const call = new Call({
    ask: { askedAt: 10_000, account: 1, callId: undefined, phoneNumber: '0201234567', callerId: 'Bob' },
    device: makeDevice({ platform: 'android', ...device }),
    uniqueKey: 'key',
    answersToCallId: false,
    waitMs: WAIT_MS,
    leave: () => {},
  });
  const requests: PushRequest[] = [];
  const pushedAt: number[] = [];
  const expired: unknown[] = [];
  const send = (request: PushRequest): Promise<PushResult> => {
    requests.push(request);
    pushedAt.push(clock.now - 10_000);
    return pushed(request);
  };
  const plan = { resendMs: 1_000, maxAttempts, responseApiFor: (key: string) => `https://x/${key}` };
  wakePhone(call, { send }, plan, { expire: (_call, ...ending) => void expired.push(ending) });
  return {
    call,
    requests,
    pushedAt,
    expired,
    pass: async (ms: number): Promise<void> => {
      for (let passed = 0; passed < ms; passed += 100) {
        clock.now += 100;
        t.mock.timers.tick(100);
        await new Promise(setImmediate);
      }
    },
  };
}

it('a call has as many pushes as the legacy service gave it, and one at least', () => {
  for (const [waitMs, resendMs, attempts] of [
    [4_000, 1_000, 3],
    [4_999, 1_000, 3],
    [3_000, 1_000, 2],
    [2_000, 1_000, 1],
    [1_000, 1_000, 1],
    [500, 1_000, 1],
  ] as const)
    assert.equal(attemptsFor(waitMs, resendMs), attempts, `${waitMs} ms, ${resendMs} ms apart`);
});

describe('when a phone is pushed', () => {
  it('at once and at each interval since, then not until the deadline', async (t) => {
    const { call, pushedAt, expired, pass } = wake(t, async () => ACCEPTED);
    await pass(3_400);
    assert.deepEqual(pushedAt, [500, 1_500, 2_500]);
    assert.deepEqual(expired, []);
    await pass(100);
    assert.deepEqual(expired, [['timed-out']]);
    assert.equal(call.attempts, 3);
  });

  it('never at the deadline or after it', async (t) => {
    const { pushedAt, expired, pass } = wake(t, async () => ACCEPTED, { maxAttempts: 100 });
    await pass(5_000);
    assert.deepEqual(pushedAt, [500, 1_500, 2_500, 3_500]);
    assert.deepEqual(expired, [['timed-out']]);
  });

  it('once where its app wants it so, and at each interval where it says anything else', async (t) => {
    for (const [pushProfile, pushes] of [
      ['once', 1],
      ['twice', 3],
      [null, 3],
    ] as const) {
      const { pushedAt, pass } = wake(t, async () => ACCEPTED, { device: { pushProfile } });
      await pass(3_000);
      assert.equal(pushedAt.length, pushes, `push_profile ${pushProfile}`);
      t.mock.timers.reset();
      t.mock.restoreAll();
    }
  });

  it('not any more once the call is over', async (t) => {
    const { call, pushedAt, expired, pass } = wake(t, async () => ACCEPTED);
    await pass(1_200);
    call.settle('ready');
    await pass(4_000);
    assert.equal(pushedAt.length, 2);
    assert.deepEqual(expired, []);
  });

  it('with what the call is, and where it is answered', async (t) => {
    const { call, requests, pass } = wake(t, async () => ACCEPTED);
    await pass(1_000);
    const [first, second] = requests;
    assert.ok(first && second);
    assert.ok(first.message.kind === 'call' && second.message.kind === 'call');
    const { messageStartTime, ...message } = first.message;
    assert.deepEqual(message, {
      kind: 'call',
      uniqueKey: 'key',
      phoneNumber: '0201234567',
      callerId: 'Bob',
      responseApi: 'https://x/key',
      attempt: 1,
    });
    assert.ok(Math.abs(messageStartTime - Date.now() / 1_000) < 60, 'seconds since 1970');
    assert.equal(second.message.attempt, 2);
    assert.notEqual(first.id, second.id);
    assert.equal(first.deadline, 14_000);
    assert.ok(first.wanted());
    call.settle('ready');
    assert.ok(!first.wanted());
  });

  it('as its environment is once that is learnt', async (t) => {
    const { requests, pass } = wake(t, async () => ({ ...ACCEPTED, sandbox: true }), {
      device: { platform: 'apns', sandbox: null },
    });
    await pass(1_000);
    assert.deepEqual(
      requests.map(({ device }) => device.sandbox),
      [null, true],
    );
  });
});

describe('when nobody can answer any more', () => {
  for (const [kind, outcome] of [
    ['token-gone', 'token-gone'],
    ['failed', 'push-failed'],
    ['provider-down', 'provider-down'],
    ['overloaded', 'push-overloaded'],
    ['withdrawn', 'push-failed'],
  ] as const) {
    it(`the call ends as ${outcome}: the only push was ${kind}`, async (t) => {
      const { call, pass } = wake(t, async () => ({ kind, reason: 'word' }));
      await pass(100);
      assert.deepEqual(call.ending, { outcome, reason: 'word' });
    });
  }

  it('a push that fails by a bug ends it by the name of the error', async (t) => {
    const { call, pass } = wake(t, () => Promise.reject(new RangeError('x')));
    await pass(100);
    assert.deepEqual(call.ending, { outcome: 'push-failed', reason: 'RangeError' });
    t.mock.timers.reset();
    t.mock.restoreAll();
    const other = wake(t, () => Promise.reject('x'));
    await other.pass(100);
    assert.deepEqual(other.call.ending, { outcome: 'push-failed', reason: 'Other' });
  });

  it('a push service that says nothing until the deadline: the push failed', async (t) => {
    const { expired, call, pass } = wake(t, () => new Promise(() => {}));
    await pass(3_500);
    assert.deepEqual(expired, [['push-failed', 'no answer from the push service in time']]);
    assert.equal(call.pushesInFlight, 3);
  });
});
