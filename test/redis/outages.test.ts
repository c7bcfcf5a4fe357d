import assert from 'node:assert/strict';
import { after, before, describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { MOST_IN_FLIGHT } from '../../src/redis/in-flight.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { settlesAtOnce } from '../helpers/at-once.ts';
import { startTcpProxy } from '../helpers/tcp-proxy.ts';
import { fault } from './fault-matcher.ts';
import { INCREMENT } from './scripts.ts';
import { settingsOf, watchedLink } from './watched-link.ts';

const nothingLeft = watchForLeftovers();

/** What may pass at most where a limit of 1 s is set, on a machine with much else to do. */
const GENEROUS_MS = 5_000;

function isOurs(kind: string): boolean {
  return /Socket|TCPWrap|Timeout/.test(kind);
}

describe('Redis that goes away and comes back', { skip: skipWithout('Redis') }, () => {
  let started: RedisServer | undefined;
  const server = (): RedisServer => {
    if (started === undefined) throw new Error('Redis was not started');
    return started;
  };
  before(async () => {
    started = await startRedis();
  });
  after(() => started?.close());

  /** A link with a channel through a proxy, both working. */
  const scene = async (t: TestContext) => {
    const proxy = await startTcpProxy(server().port);
    t.after(() => proxy.close());
    const { link, told } = watchedLink(
      t,
      settingsOf(`redis://127.0.0.1:${proxy.port}`, { timeoutMs: 1_000 }),
    );
    const heard: string[] = [];
    link.listen('vm:i:1', { onMessage: (message) => heard.push(message), onGap: () => heard.push('gap') });
    const increment = () => link.run(INCREMENT, ['vm:n'], [1]);
    await until(() => link.isUp() && heard.includes('gap'), 'commands and channel work');
    await increment();
    /** Everything works again, the channel included, and the loss was told once. */
    const recovered = async () => {
      await until(() => link.isUp(), 'the link is up again');
      await increment();
      await until(() => heard.indexOf('gap', 1) !== -1, 'the listener is told of the gap');
      await until(async () => {
        await link.publish('vm:i:1', 'hello');
        return heard.includes('hello');
      }, 'a message is heard');
      assert.equal(told.filter((event) => event === 'up').length, 2, told.join());
      assert.equal(told.filter((event) => event.startsWith('down')).length, 1, told.join());
    };
    return { proxy, link, told, heard, increment, recovered };
  };

  /** 500 commands at once; all must be rejected as unavailable, within the limit. */
  const allFailSoon = async (increment: () => Promise<unknown>): Promise<void> => {
    const start = performance.now();
    const results = await Promise.allSettled(Array.from({ length: 500 }, increment));
    assert.ok(performance.now() - start < GENEROUS_MS, `took ${performance.now() - start} ms`);
    for (const result of results) {
      assert.ok(result.status === 'rejected' && result.reason instanceof RedisUnavailable);
    }
  };

  it('paused with its connections open: commands end in time, then at once; it recovers when resumed', async (t) => {
    const { link, told, increment, recovered } = await scene(t);
    await server().pause();
    try {
      await allFailSoon(increment);
      assert.equal(link.isUp(), false);
      for (const ask of [increment, () => link.publish('vm:i:1', 'x'), () => link.ping()]) {
        const asked = ask();
        assert.ok(await settlesAtOnce(asked), 'nobody waits for a link that is down');
        await assert.rejects(asked, RedisUnavailable);
      }
      await until(() => told.some((event) => event === 'not listening timeout'), 'the channel is given up');
    } finally {
      server().resume();
    }
    await recovered();
  });

  it('commands in flight have a limit: one more is rejected at once and told', async (t) => {
    const { link, told } = await scene(t);
    await server().pause();
    try {
      const asked = Array.from({ length: MOST_IN_FLIGHT }, () => link.run(INCREMENT, ['vm:n'], [0], 4_000));
      const settled = Promise.allSettled(asked);
      await assert.rejects(link.run(INCREMENT, ['vm:n'], [0]), fault('overloaded'));
      assert.ok(told.includes('overloaded'));
      server().resume();
      await settled;
    } finally {
      server().resume();
    }
    await until(() => link.isUp(), 'the link is up');
    assert.ok(Number(await link.run(INCREMENT, ['vm:n'], [1])) >= 1, 'there is room again');
  });

  it('paused while nobody asks anything: the link is found down by itself', async (t) => {
    const { link } = await scene(t);
    await server().pause();
    try {
      await until(() => !link.isUp(), 'the link is down');
    } finally {
      server().resume();
    }
    await until(() => link.isUp(), 'the link is up again');
  });

  it('killed and restarted: it fails at once, and everything works again after', async (t) => {
    const { link, increment, recovered } = await scene(t);
    // Whoever asks hears of the end perhaps before the process is seen to be gone.
    const settled = Promise.allSettled(Array.from({ length: 500 }, increment));
    await server().kill();
    await settled;
    await until(() => !link.isUp(), 'the link is down');
    await allFailSoon(increment);
    await server().start();
    await recovered();
  });

  it('cut off silently: commands end in time, and new connections are used after', async (t) => {
    const { proxy, link, increment, recovered } = await scene(t);
    proxy.blackhole();
    await allFailSoon(increment);
    assert.equal(link.isUp(), false);
    // Old connections never come to life again.
    await until(() => proxy.connections <= 2, 'no connections pile up');
    proxy.heal();
    await recovered();
  });

  it('refused for long: nothing grows, the tries go on, and the loss is told once', async (t) => {
    const { proxy, link, told, increment, recovered } = await scene(t);
    proxy.refuse();
    await until(() => !link.isUp(), 'the link is down');
    await until(() => told.length >= 4, 'both losses were told');
    const before = proxy.accepted;
    await until(() => proxy.accepted >= before + 6, 'several tries were made');
    await assert.rejects(increment(), RedisUnavailable);
    // One try and one pause of each connection, and what this test itself waits with.
    await until(() => process.getActiveResourcesInfo().filter(isOurs).length <= 8, 'nothing has piled up');
    assert.equal(told.length, 4, told.join());
    proxy.heal();
    await recovered();
  });

  it('a reset connection: what was on its way is rejected at once and not sent again', async (t) => {
    const { proxy, increment, recovered } = await scene(t);
    await server().pause();
    const asked = Array.from({ length: 20 }, increment);
    const start = performance.now();
    proxy.reset();
    const results = await Promise.allSettled(asked);
    server().resume();
    assert.ok(performance.now() - start < GENEROUS_MS);
    assert.ok(results.every(({ status }) => status === 'rejected'));
    await recovered();
  });

  it('closing while Redis is silent ends everything and rejects what is on its way', async (t) => {
    const { proxy, link, increment } = await scene(t);
    proxy.blackhole();
    const asked = [increment(), link.ping()];
    const rejected = Promise.allSettled(asked);
    const start = performance.now();
    await link.close();
    assert.ok(performance.now() - start < GENEROUS_MS);
    assert.deepEqual(
      (await rejected).map(({ status }) => status),
      ['rejected', 'rejected'],
    );
    await assert.rejects(increment(), fault('closed'));
    assert.equal(link.isUp(), false);
    await until(() => proxy.connections === 0, 'no connection is left');
  });

  it('out of memory and read-only are told as such, and are over when Redis writes again', async (t) => {
    const { link, told } = await scene(t);
    await server().ask('CONFIG', 'SET', 'maxmemory', '1');
    await until(() => !link.isUp(), 'the link is down');
    await server().ask('CONFIG', 'SET', 'maxmemory', '0');
    await until(() => link.isUp(), 'the link is up again');
    await server().ask('REPLICAOF', '127.0.0.1', '1');
    await until(() => !link.isUp(), 'the link is down');
    await server().ask('REPLICAOF', 'NO', 'ONE');
    await until(() => link.isUp(), 'the link is up again');
    const downs = told.filter((event) => event.startsWith('down'));
    assert.equal(downs[0], 'down out-of-memory');
    // A server that becomes a replica also breaks the connections to it.
    assert.match(downs[1] ?? '', /^down (read-only|connection-lost)$/);
  });
});

nothingLeft();
