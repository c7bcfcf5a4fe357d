import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { settlesAtOnce } from '../helpers/at-once.ts';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster.ts';
import { clusterSettings } from './cluster-settings.ts';
import { INCREMENT } from './scripts.ts';
import { watchedLink } from './watched-link.ts';

const nothingLeft = watchForLeftovers();

describe('a Redis Cluster that loses a master', { skip: skipWithout('Redis') }, () => {
  let started: RedisCluster | undefined;
  const cluster = (): RedisCluster => {
    if (started === undefined) throw new Error('the Redis Cluster was not started');
    return started;
  };
  before(async () => {
    // Servers before Redis 7 have no sharded pub/sub.
    const config = { 'rename-command SPUBLISH': '""', 'rename-command SSUBSCRIBE': '""' };
    started = await startRedisCluster({ config });
  });
  after(() => started?.close());

  const other = async (key: string): Promise<string> => {
    const master = await cluster().masterOf(key);
    for (let number = 0; ; number += 1) {
      if ((await cluster().masterOf(`vm:${number}`)) !== master) return `vm:${number}`;
    }
  };

  for (const way of ['killed', 'paused'] as const) {
    it(`${way}: its keys fail at once until the replica takes over, all others go on`, async (t) => {
      const { link, told } = watchedLink(t, clusterSettings(cluster(), { timeoutMs: 500 }));
      const heard: string[] = [];
      link.listen('vm:i:1', { onMessage: (message) => heard.push(message), onGap: () => heard.push('gap') });
      const key = 'vm:i:1';
      const elsewhere = await other(key);
      const works = (name: string) => link.run(INCREMENT, [name], [1]).then(Boolean, () => false);
      await until(async () => (await works(key)) && (await works(elsewhere)), 'both masters are up');
      await until(() => heard.includes('gap'), 'the subscription stands');
      assert.equal(await link.publish('vm:i:1', 'before'), 1);

      const master = await cluster().masterOf(key);
      if (way === 'killed') await master.kill();
      else await master.pause();
      const failed = await Promise.allSettled([link.run(INCREMENT, [key], [1])]);
      assert.ok(failed[0].status === 'rejected' && failed[0].reason instanceof RedisUnavailable);
      const second = works(key);
      assert.ok(await settlesAtOnce(second), 'the second one is told at once');
      assert.equal(await second, false);
      assert.equal(link.isUp(), true);

      // With the default full coverage the others may be refused for a moment, until the replica is elected.
      await until(() => works(elsewhere), 'the other master works');
      await until(() => works(key), 'the new master works');
      heard.length = 0;
      await until(async () => (await link.publish('vm:i:1', 'hello').catch(() => 0)) === 1, 'somebody hears');
      await until(() => heard.includes('hello'), 'the message is heard');
      assert.ok(told.some((event) => event.startsWith('shard down')));
      if (way === 'killed') await master.start();
      else master.resume();
      await cluster().settled();
      await until(() => told.filter((event) => event === 'shard up').length > 0, 'the loss is over');
    });
  }
});

nothingLeft();
