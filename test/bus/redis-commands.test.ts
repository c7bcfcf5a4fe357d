import assert from 'node:assert/strict';
import { after, before, describe, type TestContext, test } from 'node:test';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { skipWithout } from '../helpers/find-server.ts';
import { type RedisServer, startRedis } from '../helpers/redis-server.ts';
import { until } from '../helpers/until.ts';
import { redisWorld } from './bus-openers.ts';
import { unlooking } from './meddled-links.ts';

/** Calls that each count is taken over, so that a command that only some calls need would show. */
const CALLS = 50;

const nothingLeft = watchForLeftovers();

describe('commands that a call costs Redis (docs/operations.md)', { skip: skipWithout('Redis') }, () => {
  const servers: RedisServer[] = [];
  before(async () => {
    servers.push(await startRedis());
  });
  after(() => servers[0]?.close());

  /** How often the server has run scripts and passed messages on, by its own count. */
  async function counts(): Promise<{ readonly scripts: number; readonly messages: number }> {
    const stats = String(await servers[0]?.ask('INFO', 'commandstats'));
    const callsOf = (command: string): number =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    return { scripts: callsOf('evalsha') + callsOf('eval'), messages: callsOf('publish') };
  }

  async function costOf(
    t: TestContext,
    work: (world: ReturnType<typeof redisWorld>) => Promise<() => Promise<void>>,
  ): Promise<{ readonly scripts: number; readonly messages: number }> {
    const place = {
      kind: 'single',
      server: { host: '127.0.0.1', port: servers[0]?.port ?? 0 },
      database: 0,
    } as const;
    const go = await work(redisWorld(t, place));
    const before = await counts();
    await go();
    // What is told last is on its way: it is counted when nothing more comes.
    let now = await counts();
    await until(async () => {
      const earlier = now;
      now = await counts();
      return earlier.scripts === now.scripts && earlier.messages === now.messages;
    }, 'the count stands still');
    return { scripts: now.scripts - before.scripts, messages: now.messages - before.messages };
  }

  const rounds = Array.from({ length: CALLS }, (_, index) => index);

  test('asked and answered at one instance: two scripts', async (t) => {
    const cost = await costOf(t, async (world) => {
      const a = await world.instance({ meddle: unlooking });
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `own-${round}` });
          assert.equal(await a.bus.answer(await asked.woken(), true), 'taken');
          await asked.ending;
        }
      };
    });
    assert.deepEqual(cost, { scripts: 2 * CALLS, messages: 0 });
  });

  test('answered at another instance: two scripts and a message', async (t) => {
    const cost = await costOf(t, async (world) => {
      const [a, b] = [
        await world.instance({ meddle: unlooking }),
        await world.instance({ meddle: unlooking }),
      ];
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `other-${round}` });
          assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
          await asked.ending;
        }
      };
    });
    assert.deepEqual(cost, { scripts: 2 * CALLS, messages: CALLS });
  });

  test('where the push carries a key of its own: four scripts and a message', async (t) => {
    const cost = await costOf(t, async (world) => {
      const [a, b] = [
        await world.instance({ meddle: unlooking }),
        await world.instance({ meddle: unlooking }),
      ];
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `sip id ${round}`, platform: 'apns' });
          assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
          await asked.ending;
        }
      };
    });
    assert.deepEqual(cost, { scripts: 4 * CALLS, messages: CALLS });
  });

  test('a phone that does not answer: two scripts', async (t) => {
    const cost = await costOf(t, async (world) => {
      const a = await world.instance({ waitMs: 500, meddle: unlooking });
      return async () => {
        const endings = await Promise.all(
          rounds.map((round) => a.ask({ account: 1, callId: `silent-${round}` }).ending),
        );
        assert.ok(endings.every(({ outcome }) => outcome === 'timed-out'));
      };
    });
    assert.deepEqual(cost, { scripts: 2 * CALLS, messages: 0 });
  });

  test('a second answer, at a third instance: one script and a message more', async (t) => {
    const cost = await costOf(t, async (world) => {
      const [a, b, c] = [
        await world.instance({ meddle: unlooking }),
        await world.instance({ meddle: unlooking }),
        await world.instance({ meddle: unlooking }),
      ];
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `twice-${round}` });
          assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
          assert.equal(await c.bus.answer(`twice-${round}`, true), 'duplicate');
          await asked.ending;
        }
      };
    });
    assert.deepEqual(cost, { scripts: 3 * CALLS, messages: 2 * CALLS });
  });

  test('an answer to a key of no call: one script', async (t) => {
    const cost = await costOf(t, async (world) => {
      const a = await world.instance({ meddle: unlooking });
      return async () => {
        for (const round of rounds) assert.equal(await a.bus.answer(`guess-${round}`, true), 'unknown');
      };
    });
    assert.deepEqual(cost, { scripts: CALLS, messages: 0 });
  });
});

nothingLeft();
