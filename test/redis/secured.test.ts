import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { createThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { startRedisCluster } from '../helpers/redis-cluster.ts';
import { startRedisSentinels } from '../helpers/redis-sentinel.ts';
import { clusterSettings } from './cluster-settings.ts';
import { INCREMENT } from './scripts.ts';
import { settingsOf, watchedLink } from './watched-link.ts';

const nothingLeft = watchForLeftovers();

/** What docs/configuration.md tells an operator to allow. */
const RIGHTS =
  /An ACL user needs `([^`]+)`/.exec(readFileSync('docs/configuration.md', 'utf8'))?.[1]?.split(' ') ?? [];

/** With what scripts ask the clock and hashes for. */
const REMEMBER = {
  name: 'remember',
  lua: "redis.call('HSET', KEYS[1], 'at', redis.call('TIME')[1]) return redis.call('HKEYS', KEYS[1])",
};

describe('a Redis server with TLS and ACL', { skip: skipWithout('Redis') }, () => {
  it('a user with the documented rights can do everything, in a database of its own', async (t) => {
    const server = await startRedis({ tls: true });
    t.after(() => server.close());
    await server.ask('ACL', 'SETUSER', 'calls', 'on', '>p@ss/word', ...RIGHTS);
    const url = server.url.replace('//', '//calls:p%40ss%2Fword@');
    const { link, told } = watchedLink(t, settingsOf(`${url}/3`, { ca: server.ca }));
    let gaps = 0;
    const heard: string[] = [];
    link.listen('vm:i:1', { onMessage: (message) => heard.push(message), onGap: () => void gaps++ });
    await until(() => link.isUp() && gaps === 1, 'commands and channel work');
    assert.equal(await link.run(INCREMENT, ['vm:n'], [1]), 1);
    assert.deepEqual(await link.run(REMEMBER, ['vm:h'], []), ['at']);
    assert.equal(await link.publish('vm:i:1', 'hello'), 1);
    await until(() => heard.length === 1, 'the message is heard');
    await link.ping();
    assert.match(String(await server.ask('INFO', 'keyspace')), /^db3:keys=/m);
    assert.deepEqual([...told].sort(), ['listening', 'up']);
  });

  it('a channel that the user may not hear is told, and commands go on', async (t) => {
    const server = await startRedis();
    t.after(() => server.close());
    await server.ask('ACL', 'SETUSER', 'calls', 'on', '>pw', '~*', '+@all');
    const { link, told } = watchedLink(t, settingsOf(server.url.replace('//', '//calls:pw@')));
    link.listen('vm:i:1', { onMessage: () => {}, onGap: () => {} });
    await until(() => told.length === 2, 'both are told');
    assert.deepEqual([...told].sort(), ['not listening not-permitted', 'up']);
  });

  it('a Cluster, with the documented rights, and Sentinels are spoken to with TLS, and not where they cannot be trusted', async (t) => {
    const cluster = await startRedisCluster({ tls: true });
    t.after(() => cluster.close());
    const sentinels = await startRedisSentinels({ tls: true, password: 'pw' });
    t.after(() => sentinels.close());
    const account = { username: 'calls', password: 'p@ss/word' };
    const rights = ['ACL', 'SETUSER', account.username, 'on', `>${account.password}`, ...RIGHTS] as const;
    await Promise.all(cluster.servers.map((server) => server.ask(...rights)));
    const trusting = [
      watchedLink(t, clusterSettings(cluster, { tls: true, ca: cluster.ca, ...account })),
      watchedLink(t, settingsOf(sentinels.url, { ca: sentinels.ca })),
    ];
    const { certificate } = createThrowAwayCa();
    const doubting = [
      watchedLink(t, clusterSettings(cluster, { tls: true, ca: certificate })),
      watchedLink(t, settingsOf(sentinels.url, { ca: certificate })),
    ];
    for (const { link, told } of trusting) {
      const heard: string[] = [];
      link.listen('vm:i:1', { onMessage: (message) => heard.push(message), onGap: () => heard.push('gap') });
      await until(() => link.isUp() && heard.includes('gap'), 'commands and channel work');
      await until(async () => (await link.publish('vm:i:1', 'hello').catch(() => 0)) === 1, 'somebody hears');
      await until(() => heard.includes('hello'), 'the message is heard');
      await until(() => link.run(INCREMENT, ['vm:n'], [1]).then(Boolean, () => false), 'its master is up');
      assert.equal(told[0], 'up');
    }
    await until(() => doubting.every(({ told }) => told.length > 0), 'each has told its fault');
    assert.deepEqual(
      doubting.map(({ told }) => told[0]),
      ['down untrusted', 'down untrusted'],
    );
  });

  it('a certificate that is not trusted, or no TLS at all, is told; nothing is sent there', async (t) => {
    const [secured, plain] = await Promise.all([startRedis({ tls: true, password: 'pw' }), startRedis()]);
    t.after(() => Promise.all([secured.close(), plain.close()]));
    const { certificate } = createThrowAwayCa();
    const links = [
      watchedLink(t, settingsOf(secured.url, { ca: certificate })),
      watchedLink(t, settingsOf(secured.url)),
      watchedLink(t, settingsOf(plain.url.replace('redis:', 'rediss:'), { ca: certificate })),
      watchedLink(t, settingsOf(secured.url.replace('rediss:', 'redis:'))),
      watchedLink(t, settingsOf(`${plain.url}/99`)),
    ];
    await until(() => links.every(({ told }) => told.length > 0), 'each has told its fault');
    const faults = links.map(({ told }) => told[0]);
    assert.deepEqual(faults.slice(0, 2), ['down untrusted', 'down untrusted']);
    assert.deepEqual(faults.slice(2), ['down tls-mismatch', 'down tls-mismatch', 'down no-database']);
  });
});

nothingLeft();
