import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import fc from 'fast-check';
import { BREAKER_SETTINGS, type Breaker, type BreakerPass, createBreaker } from '../../src/push/breaker.ts';
import type { FinalVerdict } from '../../src/push/push-provider.ts';
import type { DeviceIdentity } from '../../src/push/suspects.ts';
import { createHandClock } from './helpers/provider-fixture.ts';

const DOWN: FinalVerdict = { kind: 'unavailable', reason: 'ServiceUnavailable' };
const OK: FinalVerdict = { kind: 'accepted', reason: 'Accepted' };
const REFUSED: FinalVerdict = { kind: 'app-fault', reason: 'UNAUTHENTICATED' };
const UNREACHABLE: FinalVerdict = { kind: 'unavailable', reason: 'unreachable', unsent: true };
const LONG = 4_000;

const phone = (n: number): DeviceIdentity => ({ account: 100_000_000 + n, token: `token-${n}` });
let phones = 0;
const newPhone = (): DeviceIdentity => {
  phones += 1;
  return phone(phones);
};

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

function push(
  breaker: Breaker,
  verdict: FinalVerdict | undefined,
  device: DeviceIdentity = newPhone(),
  hadMs = LONG,
): boolean {
  const pass = breaker.enter(device);
  assert.ok(pass, 'the breaker lets the push through');
  return pass.end(device, verdict, hadMs);
}

function opened(verdict = DOWN) {
  const made = scene();
  for (let i = 0; i < 5; i += 1) push(made.breaker, verdict);
  assert.equal(made.breaker.state(), 'open');
  return made;
}

describe('what opens it', () => {
  test('five devices that fail in a row, not four', () => {
    const { breaker, changes } = scene();
    for (let i = 0; i < 4; i += 1) push(breaker, DOWN);
    assert.equal(breaker.state(), 'closed');
    push(breaker, DOWN);
    assert.equal(breaker.enter(newPhone()), undefined);
    assert.deepEqual(changes, ['open: ServiceUnavailable']);
  });

  test('three devices whose pushes are refused in a row, not two', () => {
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

  test('a success in between starts the row anew', () => {
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

  test('failures spread over more than the window are no row', async () => {
    const { breaker, clock } = scene();
    for (let i = 0; i < 12; i += 1) {
      push(breaker, DOWN);
      await clock.advance(3_000);
    }
    assert.equal(breaker.state(), 'closed');
  });

  test('devices that failed in an earlier row count in a later one, if nothing succeeded meanwhile', async () => {
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
    test(`one device alone does not: ${verdict.reason}`, async () => {
      const { breaker, clock, changes } = scene();
      for (let i = 0; i < 200; i += 1) {
        push(breaker, verdict, phone(1));
        await clock.advance(i % 2 === 0 ? 0 : 700);
      }
      assert.deepEqual(changes, []);
    });

  test('an account with ever new tokens, and a token under ever new accounts, are one device', () => {
    const { breaker } = scene();
    for (let i = 0; i < 10; i += 1) push(breaker, REFUSED, { account: 100_000_001, token: `token-${i}` });
    assert.equal(breaker.state(), 'closed');
    push(breaker, OK);
    for (let i = 0; i < 10; i += 1) push(breaker, REFUSED, { account: 200_000_000 + i, token: 'token' });
    assert.equal(breaker.state(), 'closed');
  });

  test('devices that always fail while others succeed do not, however many they are', () => {
    const { breaker, changes } = scene();
    for (let i = 1; i <= 10; i += 1) {
      push(breaker, REFUSED, phone(i));
      push(breaker, OK, phone(1_000));
    }
    for (let i = 1; i <= 10; i += 1) push(breaker, REFUSED, phone(i));
    assert.deepEqual(changes, []);
  });

  test('a device that has succeeded since is a witness again', () => {
    const { breaker } = scene();
    for (const verdict of [REFUSED, OK, REFUSED])
      for (let i = 1; i <= (verdict === OK ? 3 : 2); i += 1) push(breaker, verdict, phone(i));
    push(breaker, REFUSED, phone(3));
    assert.equal(breaker.state(), 'open');
  });

  test('what failed before anything was sent counts for one device as well', () => {
    const { breaker } = scene();
    for (let i = 0; i < 5; i += 1) push(breaker, UNREACHABLE, phone(1));
    assert.equal(breaker.state(), 'open');
  });

  test('without a credential once is enough', () => {
    const { breaker } = scene();
    push(breaker, { kind: 'app-fault', reason: 'oauth-invalid-grant', unsent: true });
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
      push(breaker, { kind: 'unavailable', reason: 'timeout' }, newPhone(), 500);
      push(breaker, UNREACHABLE, newPhone(), 500);
    }
    assert.equal(breaker.state(), 'closed');
  });

  test('time-outs of pushes that had enough time', () => {
    assert.equal(opened({ kind: 'unavailable', reason: 'timeout' }).breaker.state(), 'open');
  });
});

describe('whether a refusal concerns its device alone', () => {
  test('yes, if the credential was accepted within the last minute', async () => {
    const { breaker, clock } = scene();
    push(breaker, OK);
    await clock.advance(60_000);
    assert.equal(push(breaker, REFUSED), true);
    await clock.advance(1);
    assert.equal(push(breaker, REFUSED), false);
  });

  test('yes, if others have succeeded since it was refused first, however long ago', async () => {
    const { breaker, clock } = scene();
    assert.equal(push(breaker, REFUSED, phone(1)), false, 'nothing has ever been accepted');
    push(breaker, OK, phone(2));
    for (let i = 0; i < 5; i += 1) {
      await clock.advance(300_000);
      assert.equal(push(breaker, REFUSED, phone(1)), true);
    }
  });

  test('no, if nothing was sent', () => {
    const { breaker } = scene();
    push(breaker, OK);
    assert.equal(push(breaker, { kind: 'app-fault', reason: 'key-unusable', unsent: true }), false);
  });
});

describe('how it closes', () => {
  test('after the cool-down exactly one push goes through, and its success closes', async () => {
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

  test('a failed probe makes the cool-down two seconds, and no longer', async () => {
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

  test('a probe that tells nothing makes room for the next one', async () => {
    const { breaker, clock } = opened();
    await clock.advance(1_000);
    push(breaker, { kind: 'withdrawn', reason: 'withdrawn' });
    push(breaker, { kind: 'unavailable', reason: 'timeout' }, newPhone(), 300);
    push(breaker, undefined);
    push(breaker, OK);
    assert.equal(breaker.state(), 'closed');
  });

  test('the push service may ask for up to ten seconds', async () => {
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

  test('old failures that end while it is open change nothing; an old success closes it', async () => {
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

  test('a device that always failed while others succeeded is never the probe, and keeps nobody from being it', async () => {
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

  test('a device that failed as the probe is not judged by again for ten seconds; its success closes', async () => {
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

  test("a probe that cannot be sent is nobody's fault: the next probe may be the same device", async () => {
    const { breaker, clock } = opened(UNREACHABLE);
    for (const coolDown of [1_000, 2_000, 2_000]) {
      await clock.advance(coolDown);
      push(breaker, UNREACHABLE, phone(1));
      assert.equal(breaker.enter(phone(1)), undefined);
    }
  });
});

describe('when the way is back', () => {
  test('the next push is the probe at once, whatever the push service had asked for', async () => {
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

  test('it changes nothing while pushes go through or a probe is under way', () => {
    const { breaker, changes } = scene();
    breaker.revive('connected');
    assert.deepEqual(changes, []);
    for (let i = 0; i < 5; i += 1) push(breaker, DOWN);
    breaker.revive('connected');
    assert.ok(breaker.enter(newPhone()));
    breaker.revive('connected');
    assert.equal(breaker.enter(newPhone()), undefined);
  });

  test('a peer that accepts connections and refuses everything gets one probe a second, however often it connects', async () => {
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

/** What happens next: a push of a device begins, the oldest one under way ends, time passes, the way is back. */
const steps = fc.array(
  fc.oneof(
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('begin' as const), device: fc.nat({ max: 6 }) }) },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat({ max: 9 }) }) },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat({ max: 5_000 }) }) },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('revive' as const) }) },
  ),
  { maxLength: 300 },
);
const ownFault = fc.constantFrom<FinalVerdict>(REFUSED, DOWN, {
  kind: 'throttled',
  reason: 'QUOTA_EXCEEDED',
  scope: 'app',
  retryAfterMs: 60_000,
});
const BAD = phone(0);

/** Runs the steps; device 0 always fails, the others never do. */
async function play(
  { breaker, clock }: ReturnType<typeof scene>,
  todo: typeof steps extends fc.Arbitrary<infer T> ? T : never,
  fault: FinalVerdict,
): Promise<void> {
  const underWay: { readonly device: DeviceIdentity; readonly pass: BreakerPass }[] = [];
  for (const step of todo) {
    if (step.kind === 'wait') await clock.advance(step.ms);
    else if (step.kind === 'revive') breaker.revive('connected');
    else if (step.kind === 'begin') {
      const device = phone(step.device);
      const pass = breaker.enter(device);
      if (pass !== undefined) underWay.push({ device, pass });
    } else {
      const [ended] = underWay.splice(step.which % Math.max(1, underWay.length), 1);
      ended?.pass.end(ended.device, ended.device.token === BAD.token ? fault : OK, LONG);
    }
  }
  for (const { device, pass } of underWay) pass.end(device, device.token === BAD.token ? fault : OK, LONG);
}

describe('one device can only hurt itself', () => {
  test('it never opens while one device always fails and others succeed, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, ownFault, async (todo, fault) => {
        const made = scene();
        await play(made, todo, fault);
        assert.deepEqual(made.changes, []);
      }),
    );
  });

  test('after an outage the first push of another device that goes through closes it, and one does in time', async () => {
    await fc.assert(
      fc.asyncProperty(steps, ownFault, fc.boolean(), async (todo, fault, failedBefore) => {
        const made = scene();
        const { breaker, clock } = made;
        if (failedBefore) push(breaker, fault, BAD);
        push(breaker, OK, phone(9));
        for (let i = 1; i <= 5; i += 1) push(breaker, DOWN, phone(i));
        assert.equal(breaker.state(), 'open');
        await play(made, todo, fault);
        if (breaker.state() === 'closed') return;
        // At most the longest cool-down is left, which the push service may have asked for in a probe's answer.
        await clock.advance(10_000);
        push(breaker, OK, phone(1));
        assert.equal(breaker.state(), 'closed');
        const changes = made.changes.length;
        await play(made, todo, fault);
        assert.equal(made.changes.length, changes, 'and it stays closed');
      }),
    );
  });
});
