import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { describe, it, type TestContext } from 'node:test';
import type { BusWorld } from './bus-openers.ts';

/** What every bus does for one instance. */
export function oneInstanceContract(name: string, open: (t: TestContext) => Promise<BusWorld>): void {
  describe(`${name}: one instance`, () => {
    it('the first answer counts, the next one is a duplicate whatever it says', async (t) => {
      const one = await (await open(t)).instance();
      const asked = one.ask({ account: 1, callId: 'first-counts' });
      const key = await asked.woken();
      assert.equal(await one.bus.answer(key, false), 'taken');
      assert.deepEqual(await asked.ending, { outcome: 'declined', reason: null });
      assert.equal(await one.bus.answer(key, true), 'duplicate');
      assert.equal(await one.bus.answer(key, false), 'duplicate');
      assert.equal(one.room.size, 0);
    });

    it('an answer to a key that nobody gave out is unknown', async (t) => {
      const one = await (await open(t)).instance();
      assert.equal(await one.bus.answer('nobody-knows', true), 'unknown');
      for (const odd of ['', ' ', '{', '}', '{}', 'a}b{c', '%7b', '%', '"', '\\', "'", '\n', '★']) {
        assert.equal(await one.bus.answer(odd, true), 'unknown', JSON.stringify(odd));
      }
    });

    it('a call_id of any characters can be asked and answered', async (t) => {
      const one = await (await open(t)).instance();
      for (const callId of ['a b', '{', '}', '{}', 'a}b{c', '%7b', '{%7b', '★ :é', '1:s', 'x'.repeat(255)]) {
        const asked = one.ask({ account: 1, callId });
        assert.equal(await asked.woken(), callId);
        assert.equal(await one.bus.answer(callId, true), 'taken', callId);
        assert.equal((await asked.ending).outcome, 'ready');
      }
    });

    it('calls whose call_ids differ by one character of any kind are answered apart', async (t) => {
      const one = await (await open(t)).instance();
      const callIds = ['x', 'x{', 'x}', 'x%', 'x%7b', 'x%7B', 'x%7d', 'x%7D', 'x%25', 'x ', '{x', '{x}'];
      const asked = callIds.map((callId) => one.ask({ account: 1, callId }));
      await Promise.all(asked.map((each) => each.woken()));
      for (const [index, callId] of callIds.entries()) {
        assert.equal(await one.bus.answer(callId, index % 3 === 0), 'taken', callId);
      }
      const outcomes = (await Promise.all(asked.map(({ ending }) => ending))).map(({ outcome }) => outcome);
      assert.deepEqual(
        outcomes,
        callIds.map((_, index) => (index % 3 === 0 ? 'ready' : 'declined')),
      );
    });

    it('a call without a call_id is answered by its unique key', async (t) => {
      const one = await (await open(t)).instance();
      const asked = one.ask({ account: 1 });
      assert.equal(await one.bus.answer(await asked.woken(), true), 'taken');
      assert.equal((await asked.ending).outcome, 'ready');
    });

    it('a call_id that an iPhone cannot carry is answered by the unique key or the call_id', async (t) => {
      const one = await (await open(t)).instance();
      for (const callId of ['1574950000.17', 'sip-call@pbx']) {
        const asked = one.ask({ account: 1, callId, platform: 'apns' });
        const key = await asked.woken();
        assert.match(key, /^[0-9a-f]{32}$/);
        assert.equal(await one.bus.answer(callId.includes('@') ? callId : key, true), 'taken');
        assert.equal((await asked.ending).outcome, 'ready');
        assert.equal(await one.bus.answer(key, true), 'duplicate');
        assert.equal(await one.bus.answer(callId, true), 'duplicate');
      }
    });

    it('two accounts under one call_id are two calls with keys of their own', async (t) => {
      const one = await (await open(t)).instance();
      const callId = randomUUID();
      const asked = [1, 2, 3].map((account) => one.ask({ account, callId }));
      const keys = await Promise.all(asked.map((each) => each.woken()));
      assert.equal(new Set(keys).size, 3);
      assert.equal(keys[0], callId);
      for (const [index, key] of keys.entries()) {
        assert.equal(await one.bus.answer(key, index !== 1), 'taken');
      }
      const endings = await Promise.all(asked.map(({ ending }) => ending));
      assert.deepEqual(
        endings.map(({ outcome }) => outcome),
        ['ready', 'declined', 'ready'],
      );
    });

    it('a call_id that goes on to the next account: a late answer of the last one is not for it', async (t) => {
      const one = await (await open(t)).instance({ waitMs: 1_000 });
      for (const platform of ['android', 'apns'] as const) {
        const callId = randomUUID();
        const first = one.ask({ account: 1, callId, platform });
        const firstKey = await first.woken();
        assert.equal((await first.ending).outcome, 'timed-out');
        const second = one.ask({ account: 2, callId, platform });
        const secondKey = await second.woken();
        assert.equal(await one.bus.answer(firstKey, true), 'late');
        assert.equal(await one.bus.answer(secondKey, false), 'taken');
        assert.equal((await second.ending).outcome, 'declined');
      }
    });

    it('a call that the caller left is late for its app, and can be asked again', async (t) => {
      const one = await (await open(t)).instance();
      const first = one.ask({ account: 1, callId: 'asked-again' });
      const key = await first.woken();
      first.hangUp();
      assert.equal((await first.ending).outcome, 'caller-gone');
      assert.equal(await one.bus.answer(key, true), 'late');
      const second = one.ask({ account: 1, callId: 'asked-again' });
      assert.equal(await one.bus.answer(await second.woken(), true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
    });

    it('a call that was answered is not woken again for a PBX that asks again', async (t) => {
      const one = await (await open(t)).instance();
      const first = one.ask({ account: 1, callId: 'answered-just-now' });
      await one.bus.answer(await first.woken(), true);
      await first.ending;
      const second = one.ask({ account: 1, callId: 'answered-just-now' });
      assert.deepEqual(await second.ending, { outcome: 'ready', reason: null });
      assert.deepEqual(second.pushedKeys, []);
    });

    it('cancelling ends every account of the call_id with the reason, once', async (t) => {
      const one = await (await open(t)).instance();
      const asked = [1, 2].map((account) => one.ask({ account, callId: 'given-up' }));
      const [key = ''] = await Promise.all(asked.map((each) => each.woken()));
      assert.equal(await one.bus.cancel('given-up', 'answered elsewhere'), 2);
      for (const each of asked) {
        assert.deepEqual(await each.ending, { outcome: 'cancelled', reason: 'answered elsewhere' });
      }
      assert.equal(await one.bus.cancel('given-up', null), 0);
      assert.equal(await one.bus.cancel('never-asked', null), 0);
      assert.equal(await one.bus.answer(key, true), 'late');
    });

    it('cancelling leaves out the accounts whose calls are over, in whatever order they ended', async (t) => {
      const one = await (await open(t)).instance();
      const accounts = Array.from({ length: 12 }, (_, index) => index + 1);
      const callId = 'one-name-for-all';
      for (const round of [1, 2, 3]) {
        const asked = accounts.map((account) => one.ask({ account, callId: `${callId}-${round}` }));
        const keys = await Promise.all(asked.map((each) => each.woken()));
        const over = accounts.filter((account) => account % 4 === round);
        for (const account of round === 2 ? over.toReversed() : over) {
          assert.equal(await one.bus.answer(keys[account - 1] ?? '', false), 'taken');
        }
        assert.equal(await one.bus.cancel(`${callId}-${round}`, null), accounts.length - over.length);
        const outcomes = (await Promise.all(asked.map(({ ending }) => ending))).map(({ outcome }) => outcome);
        for (const [index, outcome] of outcomes.entries()) {
          assert.equal(outcome, over.includes(index + 1) ? 'declined' : 'cancelled');
        }
      }
    });

    it('with proofs, a call_id is no key: a later call of the same name has a new one', async (t) => {
      const one = await (await open(t)).instance({ waitMs: 1_000, proofs: true });
      const callId = randomUUID();
      const first = one.ask({ account: 1, callId });
      const firstKey = await first.woken();
      assert.notEqual(firstKey, callId);
      assert.equal(await one.bus.answer(callId, true), 'unknown');
      assert.equal((await first.ending).outcome, 'timed-out');
      const second = one.ask({ account: 1, callId });
      const secondKey = await second.woken();
      assert.equal(await one.bus.answer(firstKey, true), 'late');
      assert.equal(await one.bus.answer(callId, true), 'unknown');
      const repeat = one.ask({ account: 1, callId });
      assert.equal(await one.bus.answer(secondKey, true), 'taken');
      assert.equal((await second.ending).outcome, 'ready');
      assert.equal((await repeat.ending).outcome, 'ready');
      const third = one.ask({ account: 2, callId });
      await third.woken();
      assert.equal(await one.bus.cancel(callId, null), 1);
      assert.equal((await third.ending).outcome, 'cancelled');
    });

    it('a call whose time is over ends, and its app is late', async (t) => {
      const one = await (await open(t)).instance({ waitMs: 500 });
      const asked = one.ask({ account: 1, callId: 'too-slow' });
      const key = await asked.woken();
      assert.equal((await asked.ending).outcome, 'timed-out');
      assert.equal(await one.bus.answer(key, true), 'late');
    });

    it('a push that is refused ends the call with the reason of the push service', async (t) => {
      const one = await (await open(t)).instance();
      const refused = { kind: 'token-gone', reason: 'Unregistered' } as const;
      const asked = one.ask({ account: 1, callId: 'dead-token', pushed: async () => refused });
      assert.deepEqual(await asked.ending, { outcome: 'token-gone', reason: 'Unregistered' });
    });

    it('many answers at once for one call: one is taken', async (t) => {
      const one = await (await open(t)).instance();
      const asked = one.ask({ account: 1, callId: 'rush' });
      await asked.woken();
      const fates = await Promise.all(
        Array.from({ length: 20 }, (_, index) => one.bus.answer('rush', index % 2 === 0)),
      );
      assert.equal(fates.filter((fate) => fate === 'taken').length, 1);
      assert.equal(fates.filter((fate) => fate === 'duplicate').length, 19);
      assert.equal((await asked.ending).outcome, fates.indexOf('taken') % 2 === 0 ? 'ready' : 'declined');
    });
  });
}
