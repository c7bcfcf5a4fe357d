import { after, before } from 'node:test';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';

/** One Redis server for the tests of a suite; to be called within its `describe`. */
export function redisForSuite(): () => RedisServer {
  let server: RedisServer | undefined;
  before(async () => {
    server = await startRedis();
  });
  after(() => server?.close());
  return () => {
    if (server === undefined) throw new Error('the Redis server was not started');
    return server;
  };
}
