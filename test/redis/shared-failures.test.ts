import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { createLocalFailures } from '../../src/http/access/limits/local-failures.ts';
import { createSharedFailures } from '../../src/http/access/limits/shared-failures.ts';
import { monotonic } from '../../src/lib/monotonic.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';
import { settingsOf, watchedLink } from './watched-link.ts';

const LIMIT = 5;

/** One instance's counter, with a link of its own. */
async function instance(t: TestContext, server: RedisServer, name: string) {
  const { link } = watchedLink(t, settingsOf(server.url));
  await until(() => link.isUp(), 'the link is up');
  const errors: unknown[] = [];
  const counter = createSharedFailures({
    local: createLocalFailures({ limit: LIMIT, onForgotten: () => {}, clock: monotonic }),
    link,
    prefix: `vm:limit:${name}:`,
    onUnshared: (error) => errors.push(error),
  });
  const fail = (key: string, times: number) => {
    for (let time = 0; time < times; time += 1) counter.failed(key);
  };
  return { counter, fail, link, errors };
}

async function countAt(server: RedisServer, key: string) {
  return Number((await server.ask('GET', key)) ?? 0);
}

/** Scripts that the server was asked to run. */
async function scriptsRun(server: RedisServer): Promise<number> {
  const stats = String(await server.ask('INFO', 'commandstats'));
  return ['eval', 'evalsha'].reduce(
    (sum, name) => sum + Number(new RegExp(`cmdstat_${name}:calls=(\\d+)`).exec(stats)?.[1] ?? 0),
    0,
  );
}

describe('failures counted by several instances', { skip: skipWithout('Redis') }, () => {
  let started: RedisServer | undefined;
  const server = (): RedisServer => {
    if (started === undefined) throw new Error('Redis was not started');
    return started;
  };
  before(async () => {
    started = await startRedis();
  });
  after(() => started?.close());

  it('failures at one instance count at the other, and the key is forgotten after a minute', async (t) => {
    const [a, b] = [await instance(t, server(), 'x'), await instance(t, server(), 'x')];
    a.fail('192.0.2.1', 3);
    await until(async () => (await countAt(server(), 'vm:limit:x:192.0.2.1')) === 3, 'Redis knows of three');
    assert.equal(b.counter.blockedForMs('192.0.2.1'), 0);
    b.fail('192.0.2.1', 2);
    await until(() => b.counter.blockedForMs('192.0.2.1') > 0, 'the fifth failure blocks where it came');
    assert.ok(b.counter.blockedForMs('192.0.2.1') <= 60_000);
    // The one that has not heard of it learns it with its next failure.
    assert.equal(a.counter.blockedForMs('192.0.2.1'), 0);
    a.fail('192.0.2.1', 1);
    await until(() => a.counter.blockedForMs('192.0.2.1') > 0, 'the other one learns of it');
    const ttl = Number(await server().ask('PTTL', 'vm:limit:x:192.0.2.1'));
    assert.ok(ttl > 0 && ttl <= 60_000, `PTTL ${ttl}`);
    assert.equal(a.counter.blockedForMs('192.0.2.2'), 0);
    assert.deepEqual([a.errors, b.errors], [[], []]);
  });

  it('a failure costs one command, and one of a key that is over its limit none', async (t) => {
    const { counter, fail, link } = await instance(t, server(), 'cost');
    const before = await scriptsRun(server());
    fail('one', LIMIT);
    assert.ok(counter.blockedForMs('one') > 0, 'without waiting for Redis');
    fail('one', 1_000);
    for (let time = 0; time < 1_000; time += 1) counter.blockedForMs('other');
    await until(async () => (await countAt(server(), 'vm:limit:cost:one')) === LIMIT, 'Redis was told');
    await link.ping();
    // The server may not know the script yet: the first commands are then sent once more, with its text.
    const run = (await scriptsRun(server())) - before;
    assert.ok(run >= LIMIT && run <= 2 * LIMIT, `${run} commands`);
  });

  it('a flood of clients has 200 commands under way; the others are reported as counted by this instance alone', async (t) => {
    const { counter, fail, link, errors } = await instance(t, server(), 'flood');
    fail('before', 1);
    await until(
      async () => (await countAt(server(), 'vm:limit:flood:before')) === 1,
      'Redis knows the script',
    );
    const before = await scriptsRun(server());
    await server().pause();
    t.after(() => server().resume());
    for (let client = 0; client < 5_000; client += 1) fail(`client-${client}`, 1);
    assert.equal(errors.length, 4_800);
    assert.ok(errors.every((error) => error === undefined));
    server().resume();
    await until(async () => (await scriptsRun(server())) - before >= 200, 'Redis works again');
    await link.ping();
    assert.equal((await scriptsRun(server())) - before, 200);
    fail('after', LIMIT);
    assert.ok(counter.blockedForMs('after') > 0);
    await until(
      async () => (await countAt(server(), 'vm:limit:flood:after')) === LIMIT,
      'Redis counts again',
    );
    assert.equal(errors.length, 4_800);
  });

  it('without Redis an instance counts alone, at once and without an error for anybody', async (t) => {
    const { counter, fail, link, errors } = await instance(t, server(), 'alone');
    await server().pause();
    try {
      // Neither is a promise: there is nothing to wait for.
      fail('paused', LIMIT);
      assert.ok(counter.blockedForMs('paused') > 0);
      await until(() => errors.length > 0, 'what Redis did not take is told');
      assert.ok(errors[0] instanceof RedisUnavailable);
    } finally {
      server().resume();
    }
    await server().kill();
    await until(() => !link.isUp(), 'the link is down');
    errors.length = 0;
    fail('killed', LIMIT);
    assert.ok(counter.blockedForMs('killed') > 0);
    assert.deepEqual(errors, Array(LIMIT).fill(undefined), 'no command was tried, and that is reported');
    await server().start();
    await until(() => link.isUp(), 'the link is up again');
    fail('back', 1);
    await until(async () => (await countAt(server(), 'vm:limit:alone:back')) === 1, 'Redis counts again');
  });
});
