import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import { type AskedCall, type Asking, endAt } from './bus-instance.ts';
import { type BusWorld, type OpenInstance, redisWorld } from './bus-openers.ts';
import { awayFor, losing, unlooking } from './meddled-links.ts';

const nothingLeft = watchForLeftovers();

describe('the bus on a Redis that loses, fails or hangs for a moment', { skip: skipWithout('Redis') }, () => {
  const server = redisForSuite();

  const open = (t: TestContext): BusWorld =>
    redisWorld(t, { kind: 'single', server: { host: '127.0.0.1', port: server().port }, database: 0 });

  /** Every key of a world, as a server has none of them that took over without them. */
  async function forget({ prefix }: BusWorld, pattern = '*'): Promise<void> {
    const keys: unknown = await server().ask('KEYS', `${prefix}${pattern}`);
    assert.ok(Array.isArray(keys) && keys.length > 0);
    await server().ask('DEL', ...keys.map(String));
  }

  /** Does work on calls of a name of which a server that then takes over has heard nothing. */
  async function unheardOf<T>(world: BusWorld, callId: string, work: () => Promise<T>): Promise<T> {
    const [hash, kept] = [`${world.prefix}call:{${callId}}`, `${world.prefix}kept`];
    assert.equal(await server().ask('COPY', hash, kept), 1);
    const done = await work();
    await forget(world, 'call:*');
    assert.equal(await server().ask('COPY', kept, hash), 1);
    return done;
  }

  /** Asks an instance for a call once more, after its first caller has left it; Redis loses that. */
  async function askedAgain(world: BusWorld, instance: OpenInstance, asking: Asking): Promise<AskedCall> {
    await endAt(await world.instance(), asking);
    return unheardOf(world, asking.callId ?? '', async () => {
      const again = instance.ask(asking);
      await again.woken();
      return again;
    });
  }

  for (const platform of ['android', 'apns'] as const) {
    it(`a call that is asked again and then lost by Redis does not end as the first one did (${platform})`, async (t) => {
      const world = open(t);
      const [a, b] = [await world.instance({ lookEveryMs: 300 }), await world.instance()];
      const again = await askedAgain(world, a, { account: 1, callId: 'asked again', platform });
      const key = await again.woken();
      await until(async () => (await b.bus.answer(key, true)) === 'taken', 'it is known again');
      assert.equal((await again.ending).outcome, 'ready');
      assert.deepEqual(a.told.found, []);
    });
  }

  it('nor does it by an answer to the first one that lasts by the clock of another server', async (t) => {
    const world = open(t);
    const asking = { account: 1, callId: 'answered before' };
    const [a, b] = [await world.instance({ lookEveryMs: 300 }), await world.instance()];
    const hash = `${world.prefix}call:{answered before}`;
    const first = b.ask(asking);
    assert.equal(await b.bus.answer(await first.woken(), false), 'taken');
    const lasts = String(await server().ask('HGET', hash, '1:d'));
    await server().ask('HSET', hash, '1:d', '1000');
    const again = await unheardOf(world, asking.callId, async () => {
      const asked = a.ask(asking);
      await asked.woken();
      return { asked };
    });
    await server().ask('HSET', hash, '1:d', lasts);
    await until(async () => (await b.bus.answer(asking.callId, true)) === 'taken', 'it is known again');
    assert.equal((await again.asked.ending).outcome, 'ready');
  });

  it('nor does it at its deadline', async (t) => {
    const world = open(t);
    const a = await world.instance({ waitMs: 2_000, meddle: unlooking });
    const again = await askedAgain(world, a, { account: 1, callId: 'lost to the end' });
    assert.equal((await again.ending).outcome, 'timed-out');
    assert.deepEqual(a.told.found, []);
  });

  it('nor when its owner is killed: the instance that joined it wakes the phone', async (t) => {
    const world = open(t);
    const asking = { account: 1, callId: 'lost with its owner, again' };
    const [a, b] = [await world.instance(), await world.instance({ lookEveryMs: 300 })];
    await endAt(await world.instance(), asking);
    const joined = await unheardOf(world, asking.callId, async () => {
      await a.ask(asking).woken();
      const asked = b.ask(asking);
      await until(() => b.claims() === 1, 'b waits');
      return { asked };
    });
    await a.kill();
    const key = await joined.asked.woken();
    await until(async () => (await b.bus.answer(key, true)) === 'taken', 'it is known again');
    assert.equal((await joined.asked.ending).outcome, 'ready');
  });

  it('a call that is asked again where Redis is away ends by the answer that Redis knows', async (t) => {
    const world = open(t);
    let away = true;
    const asking = { account: 1, callId: 'answered elsewhere' };
    const a = await world.instance({ meddle: (link) => awayFor(link, () => away) });
    const b = await world.instance();
    const first = b.ask(asking);
    assert.equal(await b.bus.answer(await first.woken(), false), 'taken');
    const again = a.ask(asking);
    await again.woken();
    away = false;
    assert.equal((await again.ending).outcome, 'declined');
    assert.deepEqual(a.told.found, ['look']);
  });

  it('a joined call that Redis has lost is woken by the instance that joined it, once its owner is silent', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance({ meddle: unlooking }), await world.instance({ meddle: unlooking })];
    const first = a.ask({ account: 1, callId: 'lost with its owner' });
    await first.woken();
    const second = b.ask({ account: 1, callId: 'lost with its owner' });
    await until(() => b.claims() === 1, 'b waits');
    await forget(world);
    await a.kill();
    assert.equal(await second.woken(), 'lost with its owner');
    assert.equal(await b.bus.answer('lost with its owner', true), 'taken');
    assert.equal((await second.ending).outcome, 'ready');
  });

  it('a server that took over without a call: it can be cancelled and answered at another instance', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance({ lookEveryMs: 300 }), await world.instance()];
    const cancelled = a.ask({ account: 1, callId: 'lost, then cancelled' });
    const answered = a.ask({ account: 2, callId: 'lost, then answered' });
    await Promise.all([cancelled.woken(), answered.woken()]);
    await forget(world, 'call:*');
    await until(
      async () => (await b.bus.cancel('lost, then cancelled', 'hung up')) === 1,
      'it is known again',
    );
    assert.deepEqual(await cancelled.ending, { outcome: 'cancelled', reason: 'hung up' });
    await until(
      async () => (await b.bus.answer('lost, then answered', true)) === 'taken',
      'it is known again',
    );
    assert.equal((await answered.ending).outcome, 'ready');
  });

  it('when Redis fails over and loses who joined a call, everyone who waits still hears the answer', async (t) => {
    const world = open(t);
    const scripts: string[] = [];
    const [a, b, c] = [
      await world.instance({ meddle: unlooking }),
      await world.instance({ lookEveryMs: 300 }),
      await world.instance(),
    ];
    const first = a.ask({ account: 1, callId: 'joined unseen' });
    await first.woken();
    const hash = `${world.prefix}call:{joined unseen}`;
    const before = String(await server().ask('HGET', hash, '1:w'));
    const second = b.ask({ account: 1, callId: 'joined unseen' });
    await until(() => b.claims() === 1, 'b waits');
    await server().ask('HSET', hash, '1:w', before);
    await until(async () => {
      scripts.push(String(await server().ask('HGET', hash, '1:w')));
      return scripts.at(-1)?.split(' ').length === 2;
    }, 'b is known to wait again');
    assert.equal(await c.bus.answer('joined unseen', true), 'taken');
    assert.equal((await first.ending).outcome, 'ready');
    assert.equal((await second.ending).outcome, 'ready');
    assert.deepEqual(b.told.found, []);
  });

  it('after a command that failed while the link is up, no key is called unknown for a while', async (t) => {
    const world = open(t);
    const b = await world.instance({ meddle: losing('cancel', 1) });
    assert.equal(await b.bus.answer('of no call', true), 'unknown');
    assert.equal(await b.bus.cancel('of no call', null), 'undecided');
    assert.ok(b.link.isUp());
    const failedAt = monotonic();
    assert.equal(await b.bus.answer('of no call', true), 'undecided');
    assert.equal(await b.bus.cancel('of no call', null), 'undecided');
    await until(async () => (await b.bus.answer('of no call', true)) === 'unknown', 'it is settled again');
    assert.ok(monotonic() - failedAt > 3_500, 'others try again about every two seconds');
    assert.equal(await b.bus.cancel('of no call', null), 0);
  });

  it('nothing stays in Redis for ever: a call for 300 s after its time, in whatever order others share its name', async (t) => {
    const world = open(t);
    const [long, short] = [
      await world.instance({ waitMs: 30_000, lookEveryMs: 300 }),
      await world.instance({ waitMs: 5_000 }),
    ];
    await long.ask({ account: 1, callId: 'shared name', platform: 'apns' }).woken();
    await short.ask({ account: 2, callId: 'shared name', platform: 'apns' }).woken();
    const left = async () => {
      const keys: unknown = await server().ask('KEYS', `${world.prefix}call:*`);
      assert.ok(Array.isArray(keys) && keys.length === 3);
      return Promise.all(keys.map(async (key) => Number(await server().ask('PTTL', String(key)))));
    };
    const isKept = (ms: number, waitMs: number) => ms > 300_000 && ms <= 300_000 + waitMs;
    const all = (await left()).toSorted((a, b) => a - b);
    assert.ok(isKept(all[0] ?? 0, 5_000), all.join());
    for (const ms of all.slice(1)) assert.ok(isKept(ms, 30_000) && ms > 310_000, all.join());
    await until(
      async () => Number(await server().ask('PTTL', `${world.prefix}instances`)) > 0,
      'signs of life',
    );
    assert.ok(Number(await server().ask('PTTL', `${world.prefix}instances`)) <= 60_000);
    await forget(world, 'call:*');
    await until(
      async () => (await server().ask('EXISTS', `${world.prefix}call:{shared name}`)) === 1,
      'it is back',
    );
    const again = Number(await server().ask('PTTL', `${world.prefix}call:{shared name}`));
    assert.ok(isKept(again, 30_000), `${again}`);
  });

  it('a Redis that hangs at the deadline does not hold up the NAK', async (t) => {
    const world = open(t);
    const a = await world.instance({ waitMs: 3_000, timeoutMs: 10_000 });
    const began = monotonic();
    const asked = a.ask({ account: 1, callId: 'hanging in the end' });
    await asked.woken();
    await until(() => monotonic() - began > 2_500, 'the deadline is near');
    t.after(() => server().resume());
    await server().pause();
    assert.equal((await asked.ending).outcome, 'timed-out');
    const took = monotonic() - began;
    assert.ok(took >= 2_990 && took < 4_500, `the NAK came after ${took} ms`);
  });
});

nothingLeft();
