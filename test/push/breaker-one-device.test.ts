import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { BreakerPass } from '../../src/push/breaker.ts';
import type { FinalVerdict } from '../../src/push/push-provider.ts';
import type { DeviceIdentity } from '../../src/push/suspects.ts';
import { DOWN, LONG, OK, phone, push, REFUSED, scene } from './helpers/breaker-scene.ts';

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
      if (ended === undefined) continue;
      const isBad = ended.device.token === BAD.token;
      if (isBad && fault.kind === 'unavailable') ended.pass.failed(ended.device, fault);
      ended.pass.end(ended.device, isBad ? fault : OK, LONG);
    }
  }
  for (const { device, pass } of underWay) pass.end(device, device.token === BAD.token ? fault : OK, LONG);
}

describe('one device can only hurt itself', () => {
  it('it never opens while one device always fails and others succeed, in any order', async () => {
    await fc.assert(
      fc.asyncProperty(steps, ownFault, async (todo, fault) => {
        const made = scene();
        await play(made, todo, fault);
        assert.deepEqual(made.changes, []);
      }),
    );
  });

  it('after an outage the first push of another device that goes through closes it, and one does in time', async () => {
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
