import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { keySlot } from '../../src/redis/key-slot.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster.ts';
import { clusterSettings } from './cluster-settings.ts';
import { INCREMENT } from './scripts.ts';
import { watchedLink } from './watched-link.ts';

const nothingLeft = watchForLeftovers();

const PASSWORD = { password: 'pw' };
const keys = Array.from({ length: 12 }, (_, index) => `vm:{${index}}:n`);

describe('a Redis Cluster', { skip: skipWithout('Redis') }, () => {
  let started: RedisCluster | undefined;
  const cluster = (): RedisCluster => {
    if (started === undefined) throw new Error('the Redis Cluster was not started');
    return started;
  };
  before(async () => {
    started = await startRedisCluster(PASSWORD);
  });
  after(() => started?.close());

  it('a key is in the slot that the servers say', async () => {
    const [server] = cluster().servers;
    for (const key of ['vm:1', '{vm}:1', 'a{b}c{d}', 'a{}b', '{', 'é{ü}', '']) {
      assert.equal(keySlot(key), await server?.ask('CLUSTER', 'KEYSLOT', key), key);
    }
  });

  it('scripts run at the master of their key, found from any one server', async (t) => {
    const servers = cluster()
      .servers.slice(-1)
      .map(({ port }) => ({ host: '127.0.0.1', port }));
    const settings = clusterSettings(cluster(), { ...PASSWORD, place: { kind: 'cluster', servers } });
    const { link, told } = watchedLink(t, settings);
    await until(() => link.isUp(), 'the link is up');
    await until(async () => {
      const runs = keys.map((key) => link.run(INCREMENT, [`${key}:warm`], [1]));
      return (await Promise.allSettled(runs)).every(({ status }) => status === 'fulfilled');
    }, 'all masters are up');
    const sums = await Promise.all(keys.map((key, index) => link.run(INCREMENT, [key], [index])));
    assert.deepEqual(sums, [...keys.keys()]);
    await link.ping();
    assert.deepEqual(told, ['up']);
  });

  it('a channel is heard through sharded pub/sub, by whichever link publishes', async (t) => {
    const one = watchedLink(t, clusterSettings(cluster(), PASSWORD)).link;
    const other = watchedLink(t, clusterSettings(cluster(), PASSWORD)).link;
    const heard: string[] = [];
    const listener = { onMessage: (message: string) => heard.push(message), onGap: () => heard.push('gap') };
    one.listen('vm:i:1', listener);
    await until(() => heard.includes('gap') && other.isUp(), 'the subscription stands');
    await until(async () => (await other.publish('vm:i:1', 'hi').catch(() => 0)) === 1, 'somebody hears');
    await until(() => heard.includes('hi'), 'the message is heard');
    const master = await cluster().masterOf('vm:i:1');
    assert.deepEqual(await master.ask('PUBSUB', 'SHARDCHANNELS'), ['vm:i:1']);
  });

  it('a channel whose slot moves is heard again although nothing else is asked meanwhile', async (t) => {
    const { link, told } = watchedLink(t, clusterSettings(cluster(), PASSWORD));
    const other = watchedLink(t, clusterSettings(cluster(), PASSWORD)).link;
    for (let round = 1; round <= 3; round += 1) {
      const channel = `vm:{quiet-${round}}`;
      let gaps = 0;
      const heard: string[] = [];
      link.listen(channel, { onMessage: (message) => heard.push(message), onGap: () => void gaps++ });
      await until(() => gaps === 1, 'the subscription stands');
      await cluster().moveSlotOf(channel);
      await until(() => gaps >= 2, 'the subscription stands again');
      const master = await cluster().masterOf(channel);
      assert.deepEqual(await master.ask('PUBSUB', 'SHARDCHANNELS', channel), [channel]);
      await until(async () => (await other.publish(channel, 'there').catch(() => 0)) === 1, 'it is found');
      await until(() => heard.includes('there'), 'the message is heard');
      assert.equal(told.at(-1), 'listening');
    }
  });

  it('a slot that moves to another master takes commands and channel with it', async (t) => {
    const { link, told } = watchedLink(t, clusterSettings(cluster(), PASSWORD));
    let gaps = 0;
    const heard: string[] = [];
    link.listen('vm:{moving}', { onMessage: (message) => heard.push(message), onGap: () => void gaps++ });
    await until(() => gaps === 1, 'the subscription stands');
    await until(
      () => link.run(INCREMENT, ['vm:{moving}:n'], [1]).then(Boolean, () => false),
      'its master is up',
    );
    let failures = 0;
    let sum = 1;
    const work = setInterval(() => {
      link.run(INCREMENT, ['vm:{moving}:n'], [1]).then(
        () => {
          sum += 1;
        },
        () => {
          failures += 1;
        },
      );
    }, 2);
    t.after(() => clearInterval(work));
    await cluster().moveSlotOf('vm:{moving}');
    await until(() => gaps >= 2, 'the subscription stands again');
    const ask = async () => (await link.publish('vm:{moving}', 'there').catch(() => 0)) >= 1;
    await until(ask, 'the subscriber is found at the new master');
    await until(() => heard.includes('there'), 'the message is heard');
    clearInterval(work);
    const before = sum;
    const now = Number(await link.run(INCREMENT, ['vm:{moving}:n'], [0]));
    assert.ok(now >= before, 'nothing that was answered is lost');
    assert.equal(failures, 0);
    assert.ok(!told.includes('down cluster-server'));
  });
});

nothingLeft();
