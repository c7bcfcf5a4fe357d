import { after, before, describe } from 'node:test';
import { skipWithout } from '../helpers/find-server.ts';
import { type RedisCluster, startRedisCluster } from '../helpers/redis-cluster.ts';
import { redisWorld } from './bus-openers.ts';
import { manyInstancesContract } from './many-instances-contract.ts';
import { oneInstanceContract } from './one-instance-contract.ts';

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
  oneInstanceContract('Redis Cluster', open);
  manyInstancesContract('Redis Cluster', open);
});
