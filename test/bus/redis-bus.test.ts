import { after, before, describe } from 'node:test';
import { skipWithout } from '../helpers/find-server.ts';
import { type RedisServer, startRedis } from '../helpers/redis-server.ts';
import { redisWorld } from './bus-openers.ts';
import { manyInstancesContract } from './many-instances-contract.ts';
import { oneInstanceContract } from './one-instance-contract.ts';

describe('the bus on one Redis', { skip: skipWithout('Redis') }, () => {
  const servers: RedisServer[] = [];
  before(async () => {
    servers.push(await startRedis());
  });
  after(() => servers[0]?.close());
  const open = async (t: Parameters<typeof redisWorld>[0]) =>
    redisWorld(t, {
      kind: 'single',
      server: { host: '127.0.0.1', port: servers[0]?.port ?? 0 },
      database: 0,
    });
  oneInstanceContract('Redis', open);
  manyInstancesContract('Redis', open);
});
