import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { endAt } from './bus-instance.ts';
import type { BusWorld } from './bus-openers.ts';
import { awayFor, losing, mute, unlooking, withFirstLook } from './meddled-links.ts';

/** What a bus makes up for: messages that do not arrive, and what Redis was not told when it should have been. */
export function lostWordsContract(name: string, open: (t: TestContext) => Promise<BusWorld>): void {
  describe(`${name}: what is lost`, () => {
    it('an answer whose message is lost is found at the next look', async (t) => {
      const world = await open(t);
      const a = await world.instance({ lookEveryMs: 300 });
      const b = await world.instance({ meddle: mute });
      const asked = a.ask({ account: 1, callId: 'unheard' });
      assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
      assert.equal((await asked.ending).outcome, 'ready');
      assert.deepEqual(a.told.found, ['look']);
    });

    it('an answer whose message is lost is found at the deadline at the latest', async (t) => {
      const world = await open(t);
      const a = await world.instance({ waitMs: 1_000, meddle: unlooking });
      const b = await world.instance({ meddle: mute });
      const asked = a.ask({ account: 1, callId: 'unheard-to-the-end' });
      assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
      assert.equal((await asked.ending).outcome, 'ready');
      assert.deepEqual(a.told.found, ['deadline']);
    });

    it('an answer whose message is lost is told again by the instance that hears it a second time', async (t) => {
      const world = await open(t);
      const a = await world.instance({ meddle: unlooking });
      const [b, c] = [await world.instance({ meddle: mute }), await world.instance()];
      const asked = a.ask({ account: 1, callId: 'said twice' });
      assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
      assert.equal(await c.bus.answer('said twice', false), 'duplicate');
      assert.equal((await asked.ending).outcome, 'ready');
      assert.deepEqual(a.told.found, []);
    });

    for (const platform of ['android', 'apns'] as const) {
      it(`a call that Redis was not told of is made known as soon as it can be told (${platform})`, async (t) => {
        const world = await open(t);
        let away = false;
        const firstLook = withFirstLook();
        const a = await world.instance({ meddle: (link) => awayFor(firstLook.meddle(link), () => away) });
        const b = await world.instance();
        // No other look is due then.
        const earlier = a.ask({ account: 2 });
        await firstLook.over();
        assert.equal(await b.bus.answer(await earlier.woken(), true), 'taken');
        away = true;
        const asked = a.ask({ account: 1, callId: 'in a bad moment', platform });
        const key = await asked.woken();
        away = false;
        await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
        assert.equal((await asked.ending).outcome, 'ready');
      });

      it(`so is one whose call_id Redis knows of an earlier call (${platform})`, async (t) => {
        const world = await open(t);
        let away = false;
        const a = await world.instance({ meddle: (link) => awayFor(link, () => away) });
        const [b, c] = [await world.instance(), await world.instance()];
        const asking = { account: 1, callId: 'used before', platform };
        await endAt(c, asking);
        away = true;
        const asked = a.ask(asking);
        const key = await asked.woken();
        away = false;
        await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
        assert.equal((await asked.ending).outcome, 'ready');
      });

      it(`until then an answer to it counts where it waits (${platform})`, async (t) => {
        const world = await open(t);
        let away = false;
        const a = await world.instance({ meddle: (link) => awayFor(link, () => away) });
        const asking = { account: 1, callId: 'used and used again', platform };
        await endAt(await world.instance(), asking);
        away = true;
        const asked = a.ask(asking);
        const key = await asked.woken();
        away = false;
        assert.equal(await a.bus.answer(key, true), 'taken');
        assert.equal((await asked.ending).outcome, 'ready');
      });
    }

    it('a unique key that Redis was not told of is made known as soon as it can be told', async (t) => {
      const world = await open(t);
      const [a, b] = [await world.instance({ meddle: losing('point', 1) }), await world.instance()];
      const asked = a.ask({ account: 1, callId: 'key not told', platform: 'apns' });
      const key = await asked.woken();
      await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
      assert.equal((await asked.ending).outcome, 'ready');
    });
  });
}
