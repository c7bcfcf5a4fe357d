import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { redisForSuite } from '../helpers/redis-for-suite.ts';
import { redisWorld } from './bus-openers.ts';
import { unlooking } from './meddled-links.ts';

/** Calls that each count is taken over, so that a command that only some calls need would show. */
const CALLS = 50;

/** An instance that asks Redis nothing by itself. */
const QUIET = { meddle: unlooking, probes: false };

const nothingLeft = watchForLeftovers();

describe('commands that a call costs Redis (docs/operations.md)', { skip: skipWithout('Redis') }, () => {
  const server = redisForSuite();

  /** How often the server has run scripts and passed messages on, by its own count. */
  async function counts(): Promise<{ readonly scripts: number; readonly messages: number }> {
    const stats = String(await server().ask('INFO', 'commandstats'));
    const callsOf = (command: string): number =>
      Number(new RegExp(`cmdstat_${command}:calls=(\\d+)`).exec(stats)?.[1] ?? 0);
    return { scripts: callsOf('evalsha') + callsOf('eval'), messages: callsOf('publish') };
  }

  /** What is told last is on its way when the work is done: it is counted when all is there, and nothing more comes. */
  async function assertCost(
    t: TestContext,
    expected: Awaited<ReturnType<typeof counts>>,
    work: (world: ReturnType<typeof redisWorld>) => Promise<() => Promise<void>>,
  ): Promise<void> {
    const place = {
      kind: 'single',
      server: { host: '127.0.0.1', port: server().port },
      database: 0,
    } as const;
    const go = await work(redisWorld(t, place));
    const before = await counts();
    const cost = async () => {
      const { scripts, messages } = await counts();
      return { scripts: scripts - before.scripts, messages: messages - before.messages };
    };
    await go();
    let now = await cost();
    await until(async () => {
      const earlier = now;
      now = await cost();
      const stands = earlier.scripts === now.scripts && earlier.messages === now.messages;
      return stands && now.scripts >= expected.scripts && now.messages >= expected.messages;
    }, `the calls have cost ${expected.scripts} scripts and ${expected.messages} messages`);
    assert.deepEqual(now, expected);
  }

  const rounds = Array.from({ length: CALLS }, (_, index) => index);

  it('asked and answered at one instance: two scripts', async (t) => {
    await assertCost(t, { scripts: 2 * CALLS, messages: 0 }, async (world) => {
      const a = await world.instance(QUIET);
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `own-${round}` });
          assert.equal(await a.bus.answer(await asked.woken(), true), 'taken');
          await asked.ending;
        }
      };
    });
  });

  it('answered at another instance: two scripts and a message', async (t) => {
    await assertCost(t, { scripts: 2 * CALLS, messages: CALLS }, async (world) => {
      const [a, b] = [await world.instance(QUIET), await world.instance(QUIET)];
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `other-${round}` });
          assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
          await asked.ending;
        }
      };
    });
  });

  it('where the push carries a key of its own: four scripts and a message', async (t) => {
    await assertCost(t, { scripts: 4 * CALLS, messages: CALLS }, async (world) => {
      const [a, b] = [await world.instance(QUIET), await world.instance(QUIET)];
      return async () => {
        for (const round of rounds) {
          const asked = a.ask({ account: 1, callId: `sip id ${round}`, platform: 'apns' });
          assert.equal(await b.bus.answer(await asked.woken(), true), 'taken');
          await asked.ending;
        }
      };
    });
  });

  it('a phone that does not answer: two scripts', async (t) => {
    await assertCost(t, { scripts: 2 * CALLS, messages: 0 }, async (world) => {
      const a = await world.instance({ waitMs: 500, meddle: unlooking });
      return async () => {
        const endings = await Promise.all(
          rounds.map((round) => a.ask({ account: 1, callId: `silent-${round}` }).ending),
        );
        assert.ok(endings.every(({ outcome }) => outcome === 'timed-out'));
      };
    });
  });

  it('a second answer, at a third instance: one script and a message more', async (t) => {
    await assertCost(t, { scripts: 3 * CALLS, messages: 2 * CALLS }, async (world) => {
      const [a, b, c] = [
        await world.instance(QUIET),
        await world.instance(QUIET),
        await world.instance(QUIET),
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
  });

  it('cancelling one call costs no more where its call_id has rung many other accounts', async (t) => {
    const address = { host: '127.0.0.1', port: server().port };
    const world = redisWorld(t, { kind: 'single', server: address, database: 0 });
    const one = await world.instance(QUIET);
    const commands = async (): Promise<number> => {
      const stats = String(await server().ask('INFO', 'stats'));
      return Number(/total_commands_processed:(\d+)/.exec(stats)?.[1]);
    };
    const costOfCancelling = async (callId: string): Promise<number> => {
      const asked = one.ask({ account: 1, callId });
      await asked.woken();
      const before = await commands();
      assert.equal(await one.bus.cancel(callId, null), 1);
      return (await commands()) - before;
    };
    const alone = await costOfCancelling('rings-one');
    for (let account = 2; account <= 100; account += 1) {
      const asked = one.ask({ account, callId: 'rings-many' });
      assert.equal(await one.bus.answer(await asked.woken(), true), 'taken');
    }
    const crowd = await costOfCancelling('rings-many');
    // Signs of life of the instance may fall between the two counts.
    assert.ok(crowd <= alone + 15, `${crowd} commands instead of ${alone}`);
  });

  it('an answer to a key of no call: one script', async (t) => {
    await assertCost(t, { scripts: CALLS, messages: 0 }, async (world) => {
      const a = await world.instance(QUIET);
      return async () => {
        for (const round of rounds) assert.equal(await a.bus.answer(`guess-${round}`, true), 'unknown');
      };
    });
  });
});

nothingLeft();
