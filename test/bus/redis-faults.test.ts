import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { BUS_SCRIPTS } from '../../src/bus/redis/scripts.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import { type BusWorld, redisWorld } from './bus-openers.ts';
import { counted, hearing, holdingReplies, tellingReplies, unlooking } from './meddled-links.ts';

const nothingLeft = watchForLeftovers();

describe('the bus on a Redis that holds what it does not expect', { skip: skipWithout('Redis') }, () => {
  const server = redisForSuite();

  const open = (t: TestContext): BusWorld =>
    redisWorld(t, { kind: 'single', server: { host: '127.0.0.1', port: server().port }, database: 0 });

  /** Makes every script on this key fail. */
  const spoil = ({ prefix }: BusWorld, key: string) => server().ask('SET', `${prefix}${key}`, 'spoilt');

  it('every script that fails is reported by its name, and calls are woken, answered and cancelled here', async (t) => {
    const world = open(t);
    const mayFail = true;
    const [a, b] = [
      await world.instance({ mayFail, lookEveryMs: 300 }),
      await world.instance({ mayFail, meddle: unlooking }),
    ];
    const names = () => new Set([...a.told.failed, ...b.told.failed].map(({ during }) => during));
    await spoil(world, 'instances');
    await until(() => names().has('beat'), 'it cannot give a sign of life');
    const joined = { account: 1, callId: 'spoilt when joined' };
    await a.ask(joined).woken();
    const taken = b.ask(joined);
    await until(() => b.claims() === 1, 'b waits');
    await Promise.all([
      spoil(world, 'call:{spoilt when joined}'),
      spoil(world, 'call:{answered}'),
      spoil(world, 'call:{cancelled}'),
    ]);
    const pointed = a.ask({ account: 4, callId: 'its key alone', platform: 'apns' });
    await spoil(world, `call:{${await pointed.woken()}}`);
    const answered = a.ask({ account: 2, callId: 'answered' });
    const key = await answered.woken();
    const cancelled = a.ask({ account: 3, callId: 'cancelled' });
    await cancelled.woken();
    await until(() => names().has('refresh') && names().has('point'), 'calls are looked at');
    assert.equal(await b.bus.answer('answered', true), 'undecided');
    assert.equal(await b.bus.cancel('cancelled', null), 'undecided');
    assert.equal(await a.bus.answer(key, true), 'taken');
    assert.equal((await answered.ending).outcome, 'ready');
    assert.equal(await a.bus.cancel('cancelled', null), 1);
    assert.equal((await cancelled.ending).outcome, 'cancelled');
    await a.kill();
    assert.equal(await taken.woken(), 'spoilt when joined');
    await b.bus.close();
    assert.deepEqual(names(), new Set(BUS_SCRIPTS.map(({ name }) => name)));
    assert.equal(names().has(''), false);
  });

  it('a user who may touch nothing but what begins with the prefix is enough, and one who lacks a command is not', async (t) => {
    const place = {
      kind: 'single',
      server: { host: '127.0.0.1', port: server().port },
      database: 0,
    } as const;
    const login = { username: 'calls', password: 'pw' };
    const rights = ['SETUSER', 'calls', 'reset', 'on', '>pw', '~own:*', '&own:*', '+@all'];
    await server().ask('ACL', ...rights);
    const world = redisWorld(t, place, 'own:', login);
    const [a, b] = [await world.instance(), await world.instance()];
    const asked = a.ask({ account: 1, callId: 'with few rights', platform: 'apns' });
    assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
    assert.equal((await asked.ending).outcome, 'ready');
    await server().ask('ACL', ...rights, '-zadd');
    await server().ask('CLIENT', 'KILL', 'USER', 'calls');
    await until(() => /zadd/i.test(a.link.trouble()?.said ?? ''), 'it names the command');
  });

  it('a message that is not understood changes nothing', async (t) => {
    const world = open(t);
    const a = await world.instance();
    const asked = a.ask({ account: 1, callId: 'understood' });
    await asked.woken();
    const roll = `${world.prefix}instances`;
    await until(async () => (await server().ask('ZCARD', roll)) === 1, 'it has given a sign of life');
    const [instance] = [await server().ask('ZRANGE', roll, 0, -1)].flat();
    const strange = [
      ...['', '{', '{}', 'null', '7', '[]', '["end"]', '["own"]', '["held"]', '["ask","understood"]'],
      ...['["end","understood"]', '["end","understood","won",""]', '["begin","understood","ready",""]'],
      ...['["end","another","ready",""]', '["held","another"]', '["own","another"]', '["own","understood"]'],
    ];
    for (const text of strange) {
      const heard = await server().ask('PUBLISH', `${world.prefix}instance:{${String(instance)}}`, text);
      assert.equal(heard, 1);
    }
    const last = JSON.stringify(['end', 'understood', 'declined', 'of a newer version']);
    await server().ask('PUBLISH', `${world.prefix}instance:{${String(instance)}}`, last);
    assert.deepEqual(await asked.ending, { outcome: 'declined', reason: 'of a newer version' });
    assert.equal(asked.pushedKeys.length, 1);
    assert.deepEqual(a.told.takenOver, []);
  });

  it('a call whose outcome only a newer version knows goes on', async (t) => {
    const world = open(t);
    const { meddle, of } = counted();
    const a = await world.instance({ lookEveryMs: 300, meddle });
    const asked = a.ask({ account: 1, callId: 'of a newer version' });
    await asked.woken();
    await server().ask('HSET', `${world.prefix}call:{of a newer version}`, '1:s', 'won');
    const before = of('refresh');
    await until(() => of('refresh') >= before + 2, 'it is looked at');
    assert.equal(a.room.size, 1);
    assert.deepEqual(a.told.found, []);
    asked.hangUp();
    assert.equal((await asked.ending).outcome, 'caller-gone');
  });

  it('an instance that stops waits a moment for what Redis has to say of its calls, and hands them over', async (t) => {
    const world = open(t);
    const held = holdingReplies('end');
    const own: string[] = [];
    let signedOff = false;
    let closed = false;
    const noting = tellingReplies((script) => {
      signedOff ||= script === 'sign-off';
    });
    const a = await world.instance({ meddle: (link) => noting(held.meddle(link)) });
    const b = await world.instance({ meddle: hearing('own', () => void own.push('heard')) });
    const asking = { account: 1, callId: 'handed over at the end' };
    const first = a.ask(asking);
    await first.woken();
    const second = b.ask(asking);
    await until(() => b.claims() === 1, 'b waits');
    a.room.close();
    await first.ending;
    const closing = a.bus.close().then(() => {
      closed = true;
    });
    await until(() => signedOff && held.held() === 1, 'all has been said');
    assert.equal(closed, false);
    held.release();
    await closing;
    await a.kill();
    await second.woken();
    assert.deepEqual(own, ['heard']);
  });

  it('a Redis that hangs leaves half of the wait to wake the phone, however long a command may take', async (t) => {
    const world = open(t);
    const a = await world.instance({ waitMs: 3_000, timeoutMs: 20_000 });
    t.after(() => server().resume());
    await server().pause();
    const began = monotonic();
    const asked = a.ask({ account: 1, callId: 'hanging from the beginning' });
    await asked.woken();
    const took = monotonic() - began;
    assert.ok(took >= 1_400 && took < 3_000, `woken after ${took} ms`);
    assert.equal((await asked.ending).outcome, 'timed-out');
  });
});

nothingLeft();
