import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import type { AskedCall } from './bus-instance.ts';
import { type BusWorld, type OpenInstance, redisWorld } from './bus-openers.ts';
import {
  counted,
  hearing,
  holdingReplies,
  losingOneMessage,
  losingReplyTo,
  mute,
  telling,
  unlooking,
} from './meddled-links.ts';

const nothingLeft = watchForLeftovers();

/** Has an instance wait for a call that others wait for already. */
async function join(instance: OpenInstance, callId: string): Promise<{ readonly asked: AskedCall }> {
  const before = instance.claims();
  const asked = instance.ask({ account: 1, callId });
  await until(() => instance.claims() > before, 'it waits');
  return { asked };
}

async function own(instance: OpenInstance, callId: string): Promise<AskedCall> {
  const asked = instance.ask({ account: 1, callId });
  await asked.woken();
  return asked;
}

describe('calls that several instances wait for', { concurrency: true, skip: skipWithout('Redis') }, () => {
  const server = redisForSuite();

  const open = (t: TestContext): BusWorld =>
    redisWorld(t, { kind: 'single', server: { host: '127.0.0.1', port: server().port }, database: 0 });

  it('the owner is asked about once a second while the call lasts, and keeps it', async (t) => {
    const world = open(t);
    const asks: number[] = [];
    const a = await world.instance({ meddle: hearing('ask', () => void asks.push(monotonic())) });
    const { meddle, of } = counted();
    const b = await world.instance({ meddle });
    const owned = await own(a, 'kept');
    const { asked } = await join(b, 'kept');
    await until(() => asks.length === 4, 'it is asked again and again');
    for (const [index, at] of asks.entries())
      if (index > 0) assert.ok(at - (asks[index - 1] ?? 0) > 800, asks.join());
    assert.deepEqual(b.told.takenOver, []);
    assert.equal(of('take-over'), 0);
    assert.equal(await b.bus.answer('kept', true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    assert.equal((await owned.ending).outcome, 'ready');
    const signs = of('beat');
    await until(() => of('beat') > signs + 2, 'another second is over');
    assert.equal(asks.length, 4);
  });

  it('an owner has 400 ms to say that it holds a call', async (t) => {
    const world = open(t);
    const asks: number[] = [];
    const takenOver: number[] = [];
    const unasked = losingOneMessage('ask', () => void asks.push(monotonic()));
    const noting = telling((script) => {
      if (script === 'take-over') takenOver.push(monotonic());
    });
    const [a, b] = [
      await world.instance(),
      await world.instance({ meddle: (link) => noting(unasked(link)) }),
    ];
    await own(a, 'silent');
    const joined = await join(b, 'silent');
    await joined.asked.woken();
    const [askedAt = Number.NaN] = asks;
    const [takenAt = Number.NaN] = takenOver;
    assert.ok(takenAt - askedAt > 395, `after ${takenAt - askedAt} ms`);
  });

  it('an owner whose channel nobody hears is not waited for: a retry elsewhere wakes the phone within 350 ms', async (t) => {
    const world = open(t);
    const b = await world.instance();
    const delays: number[] = [];
    for (const round of [1, 2, 3]) {
      const a = await world.instance();
      await own(a, `killed ${round}`);
      await a.kill();
      const from = monotonic();
      await own(b, `killed ${round}`);
      delays.push(monotonic() - from);
    }
    assert.ok(Math.min(...delays) < 350, delays.join());
  });

  it('an instance that did not hear how a call ended hears it when it asks the owner next', async (t) => {
    const world = open(t);
    const lost: string[] = [];
    const a = await world.instance({ meddle: losingOneMessage('end', () => void lost.push('end')) });
    const b = await world.instance({ meddle: unlooking });
    await own(a, 'end not heard');
    const { asked } = await join(b, 'end not heard');
    assert.equal(await a.bus.answer('end not heard', false), 'taken');
    assert.deepEqual(await asked.ending, { outcome: 'declined', reason: null });
    assert.deepEqual(lost, ['end']);
    assert.deepEqual(b.told.takenOver, []);
    assert.deepEqual(asked.pushedKeys, []);
  });

  it('a call that ends while it is being taken over is left alone', async (t) => {
    const world = open(t);
    const held = holdingReplies('take-over');
    const [a, b] = [await world.instance(), await world.instance({ meddle: held.meddle })];
    const owned = await own(a, 'too late');
    const { asked } = await join(b, 'too late');
    owned.hangUp();
    await until(() => held.held() > 0, 'Redis has made it the owner');
    assert.equal(await a.bus.answer('too late', true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    held.release();
    await b.bus.close();
    assert.deepEqual(asked.pushedKeys, []);
    assert.deepEqual(b.told.takenOver, []);
  });

  it('a call that is handed over twice is woken once', async (t) => {
    const world = open(t);
    const held = holdingReplies('take-over');
    const [a, b] = [await world.instance(), await world.instance({ meddle: held.meddle })];
    const owned = await own(a, 'twice');
    const { asked } = await join(b, 'twice');
    owned.hangUp();
    await until(() => held.held() >= 2, 'it has asked for the call twice');
    held.release();
    await asked.woken();
    assert.equal(await a.bus.answer('twice', true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    assert.equal(asked.pushedKeys.length, 1);
    assert.deepEqual(b.told.takenOver, ['twice']);
  });

  it('one who joined watches the new owner of a call, and takes over from that one in its turn', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const [a, b, c] = [await world.instance(), await world.instance(), await world.instance({ meddle })];
    const owned = await own(a, 'from one to the next');
    const second = await join(b, 'from one to the next');
    const third = await join(c, 'from one to the next');
    owned.hangUp();
    await second.asked.woken();
    await until(() => of('take-over') === 1, 'it has been told of the new owner');
    const signs = of('beat');
    await until(() => of('beat') > signs + 3, 'two seconds are over');
    assert.ok(of('take-over') <= 2, 'it asks the new owner');
    await b.kill();
    await third.asked.woken();
    assert.deepEqual(c.told.takenOver, ['from one to the next']);
  });

  it('a call that one joined whose PBX waits less goes on for the others', async (t) => {
    const world = open(t);
    const [a, b] = [await world.instance(), await world.instance({ waitMs: 1_000 })];
    const owned = await own(a, 'shorter wait');
    const { asked } = await join(b, 'shorter wait');
    assert.equal((await asked.ending).outcome, 'timed-out');
    await b.bus.close();
    assert.equal(await b.bus.answer('shorter wait', true), 'taken');
    assert.equal((await owned.ending).outcome, 'ready');
  });

  it('one who joined finds an answer whose message is lost at its deadline', async (t) => {
    const world = open(t);
    const a = await world.instance({ meddle: unlooking });
    const b = await world.instance({ waitMs: 2_000, meddle: unlooking });
    const c = await world.instance({ meddle: mute });
    await own(a, 'joined and unheard');
    const { asked } = await join(b, 'joined and unheard');
    assert.equal(await c.bus.answer('joined and unheard', true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    assert.deepEqual(b.told.found, ['deadline']);
  });

  it('one who did not hear that it joined a call finds its answer when it looks', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const a = await world.instance({ meddle: unlooking });
    const b = await world.instance({
      lookEveryMs: 300,
      meddle: (link) => meddle(losingReplyTo('claim')(link)),
    });
    const c = await world.instance({ meddle: mute });
    await own(a, 'joined unawares');
    const asked = await own(b, 'joined unawares');
    await until(() => of('refresh') > 1, 'it has looked');
    assert.equal(await c.bus.answer('joined unawares', true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    assert.deepEqual(b.told.found, ['look']);
  });

  it('an answer that is found after the caller has left is not counted as found', async (t) => {
    const world = open(t);
    const a = await world.instance({ meddle: unlooking });
    const b = await world.instance({ meddle: mute });
    const asked = await own(a, 'left before it was found');
    assert.equal(await b.bus.answer('left before it was found', true), 'taken');
    asked.hangUp();
    assert.equal((await asked.ending).outcome, 'caller-gone');
    await a.bus.close();
    assert.deepEqual(a.told.found, []);
  });

  it('a late answer by call_id is not for the next account, whose call waits where it comes', async (t) => {
    const world = open(t);
    const a = await world.instance();
    const b = await world.instance({ meddle: unlooking });
    const first = await own(a, 'went on');
    first.hangUp();
    await first.ending;
    await a.bus.close();
    const second = b.ask({ account: 2, callId: 'went on', platform: 'apns' });
    const key = await second.woken();
    assert.equal(await b.bus.answer('went on', true), 'late');
    assert.equal(await b.bus.answer(key, false), 'taken');
    assert.equal((await second.ending).outcome, 'declined');
  });

  it('a caller who leaves while a call gets another key leaves nothing behind', async (t) => {
    const world = open(t);
    const held = holdingReplies('claim');
    const { meddle, of } = counted();
    const a = await world.instance();
    const b = await world.instance({ meddle: (link) => meddle(held.meddle(link)) });
    const first = await own(a, 'of another');
    const second = b.ask({ account: 2, callId: 'of another' });
    await until(() => held.held() === 1, 'Redis has refused the key');
    second.hangUp();
    await second.ending;
    held.release();
    await b.bus.close();
    assert.equal(of('claim'), 1);
    assert.deepEqual(second.pushedKeys, []);
    assert.equal(await a.bus.cancel('of another', null), 1);
    assert.equal((await first.ending).outcome, 'cancelled');
  });
});

nothingLeft();
