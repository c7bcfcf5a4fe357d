import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import type { PushResult } from '../../src/push/push-result.ts';
import type { BusWorld } from './bus-openers.ts';
import { unlooking } from './meddled-links.ts';

/** What a bus that several instances share does, whichever instance is asked and answered to. */
export function manyInstancesContract(name: string, open: (t: TestContext) => Promise<BusWorld>): void {
  describe(`${name}: several instances`, () => {
    it('an answer at any instance ends the call that waits at another', async (t) => {
      const world = await open(t);
      const [a, b, c] = [await world.instance(), await world.instance(), await world.instance()];
      for (const platform of ['android', 'apns'] as const) {
        const asked = a.ask({ account: 1, callId: `on-${platform}`, platform });
        const key = await asked.woken();
        assert.equal(await b.bus.answer(key, true), 'taken');
        const taken = await asked.taken;
        assert.equal(taken.ending.outcome, 'ready');
        assert.ok(taken.answeredAt !== undefined);
        assert.equal(await b.bus.answer(key, true), 'duplicate');
        assert.equal(await c.bus.answer(key, false), 'duplicate');
      }
    });

    it('a late answer and an unknown one are told apart at every instance', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance({ waitMs: 500 }), await world.instance()];
      const asked = a.ask({ account: 1 });
      const key = await asked.woken();
      assert.equal((await asked.ending).outcome, 'timed-out');
      assert.equal(await b.bus.answer(key, true), 'late');
      assert.equal(await b.bus.answer('of-no-call', true), 'unknown');
    });

    it('contradicting answers at several instances: one is taken, and it is the one that the PBX hears', async (t) => {
      const world = await open(t);
      const instances = [await world.instance(), await world.instance(), await world.instance()];
      const waiting = await world.instance();
      for (let round = 0; round < 30; round += 1) {
        const asked = waiting.ask({ account: 1, callId: `contested-${round}` });
        const key = await asked.woken();
        const fates = await Promise.all(instances.map(({ bus }, index) => bus.answer(key, index === 1)));
        assert.deepEqual(fates.toSorted(), ['duplicate', 'duplicate', 'taken']);
        const expected = fates[1] === 'taken' ? 'ready' : 'declined';
        assert.equal((await asked.ending).outcome, expected);
      }
    });

    it('a call that two instances are asked for is woken once and ends alike at both', async (t) => {
      const world = await open(t);
      const [a, b, c] = [await world.instance(), await world.instance(), await world.instance()];
      for (const platform of ['android', 'apns'] as const) {
        const callId = `two legs ${platform}`;
        const first = a.ask({ account: 1, callId, platform });
        const key = await first.woken();
        const before = b.claims();
        const second = b.ask({ account: 1, callId, platform });
        await until(() => b.claims() > before && b.room.find(key) !== undefined, 'b waits for the same key');
        assert.equal(await c.bus.answer(key, true), 'taken');
        assert.equal((await first.ending).outcome, 'ready');
        assert.equal((await second.ending).outcome, 'ready');
        assert.equal(first.pushedKeys.length, 1);
        assert.deepEqual(second.pushedKeys, []);
      }
    });

    it('a call asked of several instances at the same moment is woken once', async (t) => {
      const world = await open(t);
      const instances = [await world.instance(), await world.instance(), await world.instance()];
      for (let round = 0; round < 20; round += 1) {
        const asked = instances.map((each) => each.ask({ account: 1, callId: `moment-${round}` }));
        await until(() => asked.some(({ pushedKeys }) => pushedKeys.length > 0), 'somebody wakes the phone');
        await until(() => instances.every(({ claims }) => claims() === round + 1), 'all wait');
        assert.equal(await instances[round % 3]?.bus.answer(`moment-${round}`, true), 'taken');
        const endings = await Promise.all(asked.map(({ ending }) => ending));
        assert.ok(endings.every(({ outcome }) => outcome === 'ready'));
        assert.equal(asked.flatMap(({ pushedKeys }) => pushedKeys).length, 1);
      }
    });

    it('two accounts under one call_id, asked of two instances, keep apart', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'shared-name' });
      const firstKey = await first.woken();
      const second = b.ask({ account: 2, callId: 'shared-name' });
      const secondKey = await second.woken();
      assert.equal(firstKey, 'shared-name');
      assert.match(secondKey, /^[0-9a-f]{32}$/);
      assert.equal(await a.bus.answer(secondKey, false), 'taken');
      assert.equal(await b.bus.answer(firstKey, true), 'taken');
      assert.equal((await first.ending).outcome, 'ready');
      assert.equal((await second.ending).outcome, 'declined');
    });

    it('a call_id that goes on to the next account at another instance keeps the late answer apart', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance({ waitMs: 500 }), await world.instance()];
      const first = a.ask({ account: 1, callId: 'hunting' });
      assert.equal(await first.woken(), 'hunting');
      assert.equal((await first.ending).outcome, 'timed-out');
      const second = b.ask({ account: 2, callId: 'hunting' });
      const key = await second.woken();
      assert.equal(await a.bus.answer('hunting', true), 'late');
      assert.equal(await a.bus.answer(key, false), 'taken');
      assert.equal((await second.ending).outcome, 'declined');
      const again = b.ask({ account: 1, callId: 'hunting' });
      assert.equal(await again.woken(), 'hunting', 'the first account keeps its key');
      assert.equal(await a.bus.answer('hunting', true), 'taken');
      assert.equal((await again.ending).outcome, 'ready');
    });

    it('a PBX that asks another instance again within the time hears the answer at once', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'asked-twice' });
      await a.bus.answer(await first.woken(), false);
      const second = b.ask({ account: 1, callId: 'asked-twice' });
      const { ending, answeredAt } = await second.taken;
      assert.equal(ending.outcome, 'declined');
      assert.ok(answeredAt !== undefined);
      assert.deepEqual(second.pushedKeys, []);
    });

    it('a call can be cancelled at any instance, for everyone who waits', async (t) => {
      const world = await open(t);
      const [a, b, c] = [await world.instance(), await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'no-more' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'no-more' });
      await until(() => b.claims() === 1, 'b waits');
      assert.equal(await c.bus.cancel('no-more', 'hung up'), 1);
      assert.deepEqual(await first.ending, { outcome: 'cancelled', reason: 'hung up' });
      assert.deepEqual(await second.ending, { outcome: 'cancelled', reason: 'hung up' });
      assert.equal((await first.taken).answeredAt, undefined);
      assert.equal(await c.bus.answer('no-more', true), 'late');
    });

    it('every account of a call_id is cancelled at another instance', async (t) => {
      const world = await open(t);
      const [a, b, c] = [await world.instance(), await world.instance(), await world.instance()];
      const asked = [1, 2, 3].map((account) => (account === 2 ? b : a).ask({ account, callId: 'for all' }));
      await Promise.all(asked.map((each) => each.woken()));
      assert.equal(await c.bus.cancel('for all', 'hung up'), 3);
      for (const each of asked) assert.equal((await each.ending).outcome, 'cancelled');
      assert.equal(await c.bus.cancel('for all', null), 0);
    });

    it('a call_id with spaces can be cancelled at another instance, at once', async (t) => {
      const world = await open(t);
      const a = await world.instance({ waitMs: 30_000, meddle: unlooking });
      const b = await world.instance();
      const asked = a.ask({ account: 1, callId: 'no more of it' });
      await asked.woken();
      const cancelledAt = monotonic();
      assert.equal(await b.bus.cancel('no more of it', null), 1);
      assert.deepEqual(await asked.ending, { outcome: 'cancelled', reason: null });
      assert.ok(monotonic() - cancelledAt < 10_000, 'not at the deadline');
    });

    it('a push that is refused ends the call for those who joined it', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const push = Promise.withResolvers<PushResult>();
      const first = a.ask({ account: 1, callId: 'refused', pushed: () => push.promise });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'refused' });
      await until(() => b.claims() === 1, 'b waits');
      push.resolve({ kind: 'token-gone', reason: 'Unregistered' });
      assert.equal((await first.ending).outcome, 'token-gone');
      assert.deepEqual(await second.ending, { outcome: 'token-gone', reason: 'Unregistered' });
    });

    it('the caller of a joined call may leave: the others wait on', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'one-leaves' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'one-leaves' });
      await until(() => b.claims() === 1, 'b waits');
      second.hangUp();
      assert.equal((await second.ending).outcome, 'caller-gone');
      assert.equal(await b.bus.answer('one-leaves', true), 'taken');
      assert.equal((await first.ending).outcome, 'ready');
    });

    it('no script has failed and nobody waits in the end', async (t) => {
      const world = await open(t);
      const instances = [
        await world.instance({ meddle: unlooking }),
        await world.instance({ meddle: unlooking }),
      ];
      const asked = Array.from({ length: 100 }, (_, index) =>
        instances[index % 2]?.ask({
          account: index + 1,
          callId: `crowd-${index}`,
          platform: index % 3 === 0 ? 'apns' : 'android',
        }),
      );
      const fates = await Promise.all(
        asked.map(async (each, index) =>
          instances[(index + 1) % 2]?.bus.answer((await each?.woken()) ?? '', true),
        ),
      );
      assert.ok(fates.every((fate) => fate === 'taken'));
      const endings = await Promise.all(asked.map((each) => each?.ending));
      assert.ok(endings.every((ending) => ending?.outcome === 'ready'));
      assert.deepEqual(
        instances.map(({ room, told }) => [room.size, told.failed, told.found]),
        [
          [0, [], []],
          [0, [], []],
        ],
      );
    });
  });
}
