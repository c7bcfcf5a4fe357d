import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import type { BusWorld } from './bus-openers.ts';
import { deafTo, losingReplyTo, telling, unlooking } from './meddled-links.ts';

/** What a bus does with calls whose instance leaves them, is killed, stands still, or is done with them. */
export function handedOverContract(name: string, open: (t: TestContext) => Promise<BusWorld>): void {
  describe(`${name}: calls handed over`, () => {
    it('when the instance that wakes the phone loses its caller, one that joined goes on', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'handed-over', platform: 'apns' });
      const key = await first.woken();
      const second = b.ask({ account: 1, callId: 'handed-over', platform: 'apns' });
      await until(() => b.claims() === 1, 'b waits');
      first.hangUp();
      assert.equal((await first.ending).outcome, 'caller-gone');
      assert.equal(await second.woken(), key);
      assert.equal(await a.bus.answer(key, true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
    });

    it('an instance that stops hands its calls to those that joined them', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'stopping' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'stopping' });
      await until(() => b.claims() === 1, 'b waits');
      a.room.close();
      assert.equal((await first.ending).outcome, 'shutting-down');
      await second.woken();
      assert.equal(await b.bus.answer('stopping', true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
    });

    it('an instance is killed: a retry elsewhere wakes the phone again, with the same key', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      for (const platform of ['android', 'apns'] as const) {
        const killed = platform === 'apns' ? await world.instance() : a;
        const callId = `after a kill ${platform}`;
        const first = killed.ask({ account: 1, callId, platform });
        const key = await first.woken();
        await killed.kill();
        const retry = b.ask({ account: 1, callId, platform });
        assert.equal(await retry.woken(), key);
        assert.deepEqual(b.told.takenOver.at(-1), key);
        assert.equal(await b.bus.answer(key, true), 'taken');
        assert.equal((await retry.ending).outcome, 'ready');
      }
    });

    it('an instance is killed: an answer that comes before the retry is honoured', async (t) => {
      const world = await open(t);
      const [a, b, c] = [await world.instance(), await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'answered-between' });
      const key = await first.woken();
      await a.kill();
      assert.equal(await c.bus.answer(key, true), 'taken');
      const retry = b.ask({ account: 1, callId: 'answered-between' });
      assert.equal((await retry.ending).outcome, 'ready');
      assert.deepEqual(retry.pushedKeys, []);
    });

    it('an instance is killed after another has joined its call: the other takes it over', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance()];
      const first = a.ask({ account: 1, callId: 'joined-then-killed' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'joined-then-killed' });
      await until(() => b.claims() === 1, 'b waits');
      await a.kill();
      await second.woken();
      assert.equal(await b.bus.answer('joined-then-killed', true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
    });

    it('a hand-over that was not heard is made up for when the instance that left is gone', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance(), await world.instance({ meddle: deafTo('own') })];
      const first = a.ask({ account: 1, callId: 'left to nobody' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'left to nobody' });
      await until(() => b.claims() === 1, 'b waits');
      first.hangUp();
      assert.equal((await first.ending).outcome, 'caller-gone');
      // Its last messages to Redis have left.
      await a.bus.close();
      await a.kill();
      await second.woken();
      assert.equal(await b.bus.answer('left to nobody', true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
    });

    it('a call that two instances joined is woken by one of them when it is handed over', async (t) => {
      const world = await open(t);
      const scripts: string[] = [];
      const [a, b] = [await world.instance(), await world.instance()];
      const c = await world.instance({ meddle: telling((script) => void scripts.push(script)) });
      const callId = 'three legs';
      const first = a.ask({ account: 1, callId });
      await first.woken();
      const second = b.ask({ account: 1, callId });
      await until(() => b.claims() === 1, 'b waits');
      const third = c.ask({ account: 1, callId });
      await until(() => c.claims() === 1, 'c waits');
      first.hangUp();
      await second.woken();
      // The first one tells it, when it asks next, that it does not hold the call any more.
      await until(() => scripts.includes('take-over'), 'c asks Redis who has to wake the phone');
      assert.equal(await a.bus.answer(callId, true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
      assert.equal((await third.ending).outcome, 'ready');
      assert.deepEqual(third.pushedKeys, []);
    });

    it('an instance that stood still and lost its call to another one hears its answer as that one does', async (t) => {
      const world = await open(t);
      const a = await world.instance({ meddle: (link) => unlooking(deafTo('ask')(link)) });
      const b = await world.instance();
      const first = a.ask({ account: 1, callId: 'thought dead' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'thought dead' });
      await second.woken();
      assert.deepEqual(b.told.takenOver, ['thought dead']);
      assert.equal(await b.bus.answer('thought dead', true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
      assert.equal((await first.ending).outcome, 'ready');
      assert.deepEqual(a.told.found, []);
    });

    it('a call that is asked again when its time is over is not ended by what the first instance says late', async (t) => {
      const world = await open(t);
      const heldUp = Promise.withResolvers<void>();
      const holdUpEnd = telling((script) => (script === 'end' ? heldUp.promise : undefined));
      const [a, b] = [await world.instance({ waitMs: 500, meddle: holdUpEnd }), await world.instance()];
      const asking = { account: 1, callId: 'asked again at its end' };
      const first = a.ask(asking);
      await first.woken();
      let second = b.ask(asking);
      await until(() => {
        // While the time of the first one lasts, the second one joins it and ends with it.
        if (b.room.size === 0) second = b.ask(asking);
        return second.pushedKeys.length > 0 && b.told.takenOver.length === 0;
      }, 'the call has begun anew');
      heldUp.resolve();
      assert.equal((await first.ending).outcome, 'timed-out');
      assert.equal(await a.bus.answer(asking.callId, true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
    });

    it('an instance that may not join a call because too many wait for it does not end it for them', async (t) => {
      const world = await open(t);
      const instances = await Promise.all(Array.from({ length: 17 }, () => world.instance()));
      const callId = 'crowded';
      const asked = [];
      for (const each of instances.slice(0, 16)) {
        asked.push(each.ask({ account: 1, callId }));
        await until(() => each.claims() === 1, 'it waits');
      }
      await asked[0]?.woken();
      const [last] = instances.slice(16);
      await until(async () => {
        const refused = last?.ask({ account: 1, callId });
        const ending = await refused?.ending;
        return ending?.outcome === 'overloaded' && ending.reason === 'too many instances wait for this call';
      }, 'one more is refused');
      assert.equal(await last?.bus.answer(callId, true), 'taken');
      const endings = await Promise.all(asked.map(({ ending }) => ending));
      assert.ok(endings.every(({ outcome }) => outcome === 'ready'));
    });

    it('an instance that must not wait without Redis does not end a call that waits at another one', async (t) => {
      const world = await open(t);
      const a = await world.instance();
      const b = await world.instance({ required: true, meddle: losingReplyTo('claim') });
      const first = a.ask({ account: 1, callId: 'waits at the other one' });
      await first.woken();
      const second = b.ask({ account: 1, callId: 'waits at the other one' });
      assert.equal((await second.ending).outcome, 'bus-unavailable');
      await b.bus.close();
      assert.equal(await a.bus.answer('waits at the other one', true), 'taken');
      assert.equal((await first.ending).outcome, 'ready');
    });
  });
}
