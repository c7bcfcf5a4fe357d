import assert from 'node:assert/strict';
import { beforeEach, describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import { type BusWorld, redisWorld } from './bus-openers.ts';
import { awayFor, mute, withFirstLook } from './meddled-links.ts';

const nothingLeft = watchForLeftovers();

describe('the bus while Redis is away', { skip: skipWithout('Redis') }, () => {
  const server = redisForSuite();
  beforeEach(() => server().start());

  const open = (t: TestContext): BusWorld =>
    redisWorld(t, { kind: 'single', server: { host: '127.0.0.1', port: server().port }, database: 0 });

  const signsOf = async ({ prefix }: BusWorld): Promise<number> =>
    Number(await server().ask('ZCARD', `${prefix}instances`));

  it('a call whose phone answers where it waits is woken and answered; an answer elsewhere is undecided', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance(), await world.instance()];
    const before = a.ask({ account: 1, callId: 'from-before' });
    await before.woken();
    await server().kill();
    await until(() => !a.link.isUp() && !b.link.isUp(), 'both have noticed');
    const during = a.ask({ account: 2, callId: 'from-during' });
    assert.equal(await during.woken(), 'from-during');
    assert.equal(await b.bus.answer('from-during', true), 'undecided');
    assert.equal(await b.bus.answer('of-no-call', true), 'undecided');
    assert.equal(await a.bus.answer('from-before', true), 'taken');
    assert.equal(await a.bus.answer('from-during', false), 'taken');
    assert.equal(await a.bus.answer('from-during', true), 'duplicate');
    assert.equal((await before.ending).outcome, 'ready');
    assert.equal((await during.ending).outcome, 'declined');
    assert.equal(await a.bus.cancel('of-no-call', null), 'undecided');
    const cancelled = a.ask({ account: 3, callId: 'given up meanwhile' });
    await cancelled.woken();
    assert.equal(await b.bus.cancel('given up meanwhile', 'hung up'), 'undecided');
    assert.equal(await a.bus.cancel('given up meanwhile', 'hung up'), 1);
    assert.equal((await cancelled.ending).outcome, 'cancelled');
  });

  it('a call that began while Redis was away can be answered anywhere once it is back', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance(), await world.instance()];
    await server().kill();
    await until(() => !a.link.isUp() && !b.link.isUp(), 'both have noticed');
    const android = a.ask({ account: 1, callId: 'begun in between' });
    const iphone = a.ask({ account: 2, callId: 'begun in between, too', platform: 'apns' });
    const keys = await Promise.all([android.woken(), iphone.woken()]);
    await server().start();
    for (const key of keys) {
      await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
    }
    assert.equal((await android.ending).outcome, 'ready');
    assert.equal((await iphone.ending).outcome, 'ready');
  });

  it('once Redis is back, an answer is not called unknown before those who wait had time to make their calls known', async (t) => {
    const world = open(t);
    let connected = true;
    const [a, b] = [
      await world.instance({ meddle: (link) => awayFor(link, () => !connected) }),
      await world.instance(),
    ];
    await server().kill();
    await until(() => !a.link.isUp() && !b.link.isUp(), 'both have noticed');
    connected = false;
    const asked = a.ask({ account: 1, callId: 'not known yet' });
    const key = await asked.woken();
    await server().start();
    await until(() => b.link.isUp(), 'one is connected again');
    assert.equal(await b.bus.answer(key, true), 'undecided');
    connected = true;
    await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
    assert.equal((await asked.ending).outcome, 'ready');
    await until(async () => (await b.bus.answer('of no call', true)) === 'unknown', 'all is known again');
  });

  it('while an instance is cut off, an answer that may be for one of its calls is not called unknown by the others', async (t) => {
    const world = open(t);
    let cut = false;
    const [a, b] = [
      await world.instance({ meddle: (link) => awayFor(link, () => cut) }),
      await world.instance(),
    ];
    await until(async () => (await signsOf(world)) === 2, 'both have given a sign of life');
    assert.equal(await b.bus.answer('of no call', true), 'unknown');
    cut = true;
    const asked = a.ask({ account: 1, callId: 'beyond the cut' });
    const key = await asked.woken();
    await until(async () => (await b.bus.answer(key, true)) === 'undecided', 'the silence is noticed');
    assert.equal(await a.bus.answer(key, true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    cut = false;
    await until(async () => (await b.bus.answer('of no call', true)) === 'unknown', 'it is heard of again');
  });

  it('of an instance that stops nobody waits for a sign of life; of one that is killed the others do', async (t) => {
    const world = open(t);
    const [stopped, killed, other] = [await world.instance(), await world.instance(), await world.instance()];
    await until(async () => (await signsOf(world)) === 3, 'all have given a sign of life');
    await stopped.bus.close();
    assert.equal(await signsOf(world), 2);
    assert.equal(await other.bus.answer('of no call', true), 'unknown');
    await killed.kill();
    assert.equal(await signsOf(world), 2);
    await until(async () => (await other.bus.answer('of no call', true)) === 'undecided', 'it is missed');
  });

  it('calls survive a Redis that lost everything', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance({ lookEveryMs: 300 }), await world.instance()];
    const asked = a.ask({ account: 1, callId: 'forgotten by Redis', platform: 'apns' });
    const key = await asked.woken();
    await server().ask('FLUSHALL');
    await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
    assert.equal((await asked.ending).outcome, 'ready');
  });

  it('an answer whose message is lost with the subscription is found when that stands again', async (t) => {
    const world = open(t);
    const firstLook = withFirstLook();
    const [a, b] = [
      await world.instance({ meddle: firstLook.meddle }),
      await world.instance({ meddle: mute }),
    ];
    const asked = a.ask({ account: 1, callId: 'unsubscribed' });
    const key = await asked.woken();
    await firstLook.over();
    assert.equal(await b.bus.answer(key, true), 'taken');
    await server().ask('CLIENT', 'KILL', 'TYPE', 'pubsub');
    assert.equal((await asked.ending).outcome, 'ready');
    assert.deepEqual(a.told.found, ['look']);
  });

  it('a Redis that lost the key of a push, and nothing else, is told of it again', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance({ lookEveryMs: 300 }), await world.instance()];
    const asked = a.ask({ account: 1, callId: 'pointed to', platform: 'apns' });
    const key = await asked.woken();
    const pointers: unknown = await server().ask('KEYS', `*call:{${key}}`);
    assert.ok(Array.isArray(pointers) && pointers.length === 1);
    await server().ask('DEL', String(pointers[0]));
    await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
    assert.equal((await asked.ending).outcome, 'ready');
  });

  it('a Redis whose clock is ahead of its predecessor’s does not make an answer late that somebody waits for', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance({ lookEveryMs: 300 }), await world.instance()];
    const asked = a.ask({ account: 1, callId: 'by another clock' });
    const key = await asked.woken();
    const hashes: unknown = await server().ask('KEYS', `*call:{by another clock}`);
    assert.ok(Array.isArray(hashes) && hashes.length === 1);
    await server().ask('HSET', String(hashes[0]), '1:d', '1000');
    await until(async () => (await b.bus.answer(key, true)) === 'taken', 'the answer finds its call');
    assert.equal((await asked.ending).outcome, 'ready');
  });

  it('a Redis that hangs delays a call by its time limit only, and nothing waits past its deadline', async (t) => {
    const world = open(t);
    const [a, b] = [
      await world.instance({ waitMs: 3_000, timeoutMs: 200 }),
      await world.instance({ timeoutMs: 200 }),
    ];
    await server().pause();
    t.after(() => server().resume());
    const started = performance.now();
    const answered = a.ask({ account: 1, callId: 'hanging' });
    await answered.woken();
    assert.ok(performance.now() - started < 2_000, 'the phone is woken although Redis hangs');
    assert.equal(await a.bus.answer('hanging', true), 'taken');
    assert.equal((await answered.ending).outcome, 'ready');
    const silent = a.ask({ account: 2, callId: 'hanging-and-silent' });
    assert.equal(await b.bus.answer('hanging-and-silent', true), 'undecided');
    const { ending } = await silent.taken;
    assert.equal(ending.outcome, 'timed-out');
    server().resume();
    await until(() => a.link.isUp() && b.link.isUp(), 'Redis answers again');
    const later = a.ask({ account: 3, callId: 'after-hanging' });
    assert.equal(await b.bus.answer(await later.woken(), true), 'taken');
  });

  it('an instance that requires Redis refuses calls while it is away, and takes them again after', async (t) => {
    const world = open(t);
    const a = await world.instance({ required: true });
    const waiting = a.ask({ account: 1, callId: 'waits already' });
    await waiting.woken();
    await server().kill();
    await until(() => !a.link.isUp(), 'it has noticed');
    assert.equal((await a.ask({ account: 2, callId: 'refused' }).ending).outcome, 'bus-unavailable');
    assert.equal(await a.bus.answer('waits already', true), 'taken');
    assert.equal((await waiting.ending).outcome, 'ready');
    await server().start();
    await until(() => a.link.isUp(), 'Redis answers again');
    const later = a.ask({ account: 3, callId: 'taken again' });
    assert.equal(await a.bus.answer(await later.woken(), true), 'taken');
  });

  it('an instance that requires Redis refuses a call that Redis did not confirm', async (t) => {
    const world = open(t);
    const a = await world.instance({ required: true, timeoutMs: 200 });
    await server().pause();
    t.after(() => server().resume());
    const asked = a.ask({ account: 1, callId: 'unconfirmed' });
    assert.equal((await asked.ending).outcome, 'bus-unavailable');
    assert.deepEqual(asked.pushedKeys, []);
  });
});

nothingLeft();
