import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster.ts';
import { redisWorld } from './bus-openers.ts';
import { handedOverContract } from './handed-over-contract.ts';
import { lostWordsContract } from './lost-words-contract.ts';
import { manyInstancesContract } from './many-instances-contract.ts';
import { oneInstanceContract } from './one-instance-contract.ts';
import { takenOverContract } from './taken-over-contract.ts';

const nothingLeft = watchForLeftovers();

describe('the bus on a Redis Cluster', { skip: skipWithout('Redis') }, () => {
  const clusters: RedisCluster[] = [];
  before(async () => {
    clusters.push(await startRedisCluster());
  });
  after(() => clusters[0]?.close());
  const open = async (t: Parameters<typeof redisWorld>[0]) =>
    redisWorld(t, {
      kind: 'cluster',
      servers: (clusters[0]?.servers ?? []).map(({ port }) => ({ host: '127.0.0.1', port })),
    });
  it('an instance is heard and its calls are answered while their slots move to other masters', async (t) => {
    const [cluster] = clusters;
    assert.ok(cluster !== undefined);
    const channels = async (): Promise<readonly string[]> => {
      const lists = await Promise.all(
        cluster.servers.map((server) => server.ask('PUBSUB', 'SHARDCHANNELS', '*instance:*')),
      );
      return lists.flatMap((list) => (Array.isArray(list) ? list.map(String) : []));
    };
    const world = await open(t);
    const before = await channels();
    const a = await world.instance();
    const [channel = ''] = (await channels()).filter((each) => !before.includes(each));
    const b = await world.instance();
    for (let round = 0; round < 3; round += 1) {
      const callId = `moving-${round}`;
      const asked = a.ask({ account: 1, callId });
      await asked.woken();
      await cluster.moveSlotOf(channel);
      await cluster.moveSlotOf(`{${callId}}`);
      await until(async () => {
        const master = await cluster.masterOf(channel);
        const heard: unknown = await master.ask('PUBSUB', 'SHARDNUMSUB', channel);
        return Array.isArray(heard) && heard[1] === 1;
      }, 'the instance hears at the new master');
      // Servers may tell each of the moves a moment apart, in which nothing is decided.
      await until(async () => (await b.bus.answer(callId, true)) === 'taken', 'the answer finds its call');
      assert.equal((await asked.ending).outcome, 'ready');
    }
    assert.deepEqual(a.told.failed, []);
  });

  it('calls whose slot is being moved at the moment are answered at once', async (t) => {
    const [cluster] = clusters;
    assert.ok(cluster !== undefined);
    const world = await open(t);
    const [a, b] = [await world.instance(), await world.instance()];
    const callId = 'in a slot on its way';
    const earlier = a.ask({ account: 1, callId });
    await earlier.woken();
    await cluster.moveSlotOf(`{${callId}}`, async (move) => {
      if (move === 'begun') {
        assert.equal(await b.bus.answer(callId, true), 'taken');
        assert.equal((await earlier.ending).outcome, 'ready');
      }
      const during = a.ask({ account: move === 'begun' ? 2 : 3, callId });
      assert.equal(await b.bus.answer(await during.woken(), false), 'taken');
      assert.equal((await during.ending).outcome, 'declined');
    });
    assert.deepEqual(a.told.failed, []);
  });

  oneInstanceContract('Redis Cluster', open);
  manyInstancesContract('Redis Cluster', open);
  handedOverContract('Redis Cluster', open);
  lostWordsContract('Redis Cluster', open);
  takenOverContract('Redis Cluster', open);
});

nothingLeft();
