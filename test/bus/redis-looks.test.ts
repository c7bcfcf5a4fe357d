import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import { type BusWorld, redisWorld } from './bus-openers.ts';
import {
  awayFor,
  counted,
  heardAsTold,
  holdingReplies,
  losing,
  telling,
  withFirstLook,
} from './meddled-links.ts';

const nothingLeft = watchForLeftovers();

/** Resolves when an instance has given so many more signs of life, one each half second. */
async function signs(of: (script: string) => number, more: number): Promise<void> {
  const before = of('beat');
  await until(() => of('beat') >= before + more, 'it gives signs of life');
}

describe('what an instance asks Redis about the calls that wait', {
  concurrency: true,
  skip: skipWithout('Redis'),
}, () => {
  const server = redisForSuite();

  const open = (t: TestContext): BusWorld =>
    redisWorld(t, { kind: 'single', server: { host: '127.0.0.1', port: server().port }, database: 0 });

  for (const platform of ['android', 'apns'] as const) {
    it(`a call that waits is not looked at before a look is due (${platform})`, async (t) => {
      const world = open(t);
      const { meddle, of } = counted();
      const a = await world.instance({ meddle });
      // What it looks at in the beginning is behind it.
      await signs(of, 2);
      const asked = a.ask({ account: 1, callId: 'looked at', platform });
      const key = await asked.woken();
      await signs(of, 4);
      assert.equal(of('refresh'), 0);
      assert.equal(await a.bus.answer(key, true), 'taken');
    });
  }

  it('every 300 ms, when that is set, a call that waits is looked at, until it has ended', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const a = await world.instance({ lookEveryMs: 300, meddle });
    const began = monotonic();
    const asked = a.ask({ account: 1, callId: 'looked at again' });
    await asked.woken();
    await until(() => of('refresh') === 4, 'it is looked at again and again');
    assert.ok(monotonic() - began > 800, 'not more often');
    assert.equal(await a.bus.answer('looked at again', true), 'taken');
    await asked.ending;
    await a.bus.close();
    const looks = of('refresh');
    await until(() => monotonic() - began > 2_500, 'a second is over');
    assert.equal(of('refresh'), looks);
  });

  it('while Redis cannot be told of a call, it is tried once a second, and other instances call no key unknown', async (t) => {
    const world = open(t);
    const tries: number[] = [];
    let fails = false;
    const failing = telling((script) => {
      if (!fails || script === 'beat') return;
      if (script === 'refresh') tries.push(monotonic());
      throw new RedisUnavailable('timeout');
    });
    const { meddle, of } = counted();
    const a = await world.instance({ meddle: (link) => meddle(failing(link)) });
    const b = await world.instance();
    await signs(of, 1);
    fails = true;
    const asked = a.ask({ account: 1, callId: 'cannot be told of' });
    const key = await asked.woken();
    await until(async () => (await b.bus.answer(key, true)) === 'undecided', 'its silence is noticed');
    await until(() => tries.length === 3, 'it tries again and again');
    for (const [index, at] of tries.entries())
      if (index > 0) assert.ok(at - (tries[index - 1] ?? 0) > 800, tries.join());
    fails = false;
    await until(async () => (await b.bus.answer('of no call', true)) === 'unknown', 'it gives signs again');
    assert.equal(await b.bus.answer(key, true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
  });

  it('an instance gives signs of life again once a call that Redis was not told of has ended', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const lost = losing('refresh', Number.POSITIVE_INFINITY);
    const lostClaim = losing('claim', 1);
    const a = await world.instance({ meddle: (link) => meddle(lost(lostClaim(link))) });
    await signs(of, 1);
    const asked = a.ask({ account: 1, callId: 'ended untold' });
    await asked.woken();
    await until(() => of('refresh') > 0, 'it tries to tell of it');
    asked.hangUp();
    await asked.ending;
    await signs(of, 2);
  });

  it('so it does where Redis does not answer about a call before its deadline', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const held = holdingReplies('refresh');
    const a = await world.instance({
      waitMs: 1_500,
      lookEveryMs: 300,
      meddle: (link) => meddle(held.meddle(link)),
    });
    const asked = a.ask({ account: 1, callId: 'asked about at its end' });
    await until(() => of('end') > 0, 'it ends');
    held.fail();
    assert.equal((await asked.ending).outcome, 'timed-out');
    await signs(of, 2);
  });

  it('and where another call of its name waits in its place', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const a = await world.instance({ meddle: (link) => meddle(losing('claim', 1)(link)) });
    const b = await world.instance();
    await signs(of, 1);
    const asking = { account: 1, callId: 'twice by mishap', platform: 'apns' } as const;
    const other = b.ask(asking);
    await other.woken();
    await a.ask(asking).woken();
    await until(() => of('refresh') === 1, 'it tells of its own');
    await signs(of, 3);
    assert.equal(of('refresh'), 1);
    assert.equal(await b.bus.answer(await other.woken(), true), 'taken');
  });

  it('an instance that was cut off gives no sign of life before it has looked at its calls', async (t) => {
    const world = open(t);
    let cut = false;
    const held = holdingReplies('refresh');
    const [mine, others] = [counted(), counted()];
    const a = await world.instance({
      meddle: (link) => awayFor(mine.meddle(held.meddle(link)), () => cut),
    });
    await world.instance({ meddle: others.meddle });
    await signs(mine.of, 1);
    const asked = a.ask({ account: 1, callId: 'not looked at' });
    await asked.woken();
    cut = true;
    await signs(others.of, 2);
    const before = mine.of('beat');
    cut = false;
    await until(() => held.held() === 1, 'it looks');
    await signs(others.of, 4);
    assert.equal(mine.of('beat'), before);
    held.release();
    await signs(mine.of, 1);
    asked.hangUp();
  });

  it('after a gap in what it hears, an instance calls no key unknown for a while and looks each second', async (t) => {
    const world = open(t);
    const firstLook = withFirstLook();
    const heard = heardAsTold();
    const { meddle, of } = counted();
    const a = await world.instance({ meddle: (link) => heard.meddle(meddle(firstLook.meddle(link))) });
    const fate = () => a.bus.answer('of no call', true);
    assert.equal(await fate(), 'unknown');
    await a.ask({ account: 1, callId: 'after a gap' }).woken();
    await firstLook.over();
    const looks = of('refresh');
    heard.lost();
    assert.equal(await fate(), 'undecided');
    await until(async () => (await fate()) === 'unknown', 'the others have had their time');
    assert.equal(of('refresh'), looks);
    heard.gap();
    assert.equal(await fate(), 'undecided');
    await until(() => of('refresh') >= looks + 3, 'it looks again and again');
    await until(async () => (await fate()) === 'unknown', 'the others have had their time');
    assert.ok(of('refresh') <= looks + 6, `${of('refresh') - looks} looks`);
  });
});

nothingLeft();
