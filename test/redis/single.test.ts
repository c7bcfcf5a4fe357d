import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { busProbe } from '../../src/bus/redis/bus-probe.ts';
import { RedisUnavailable } from '../../src/redis/redis-unavailable.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { tempFolder } from '../storage/temp-folder.ts';
import { fault } from './fault-matcher.ts';
import { INCREMENT } from './scripts.ts';
import { settingsOf, watchedLink } from './watched-link.ts';

const nothingLeft = watchForLeftovers();

const SLOW = { name: 'slow', lua: "local n = 0 while n < 6e7 do n = n + 1 end return 'done'" };

describe('one Redis server', { skip: skipWithout('Redis') }, () => {
  let started: RedisServer | undefined;
  const server = (): RedisServer => {
    if (started === undefined) throw new Error('Redis was not started');
    return started;
  };
  let folder: Awaited<ReturnType<typeof tempFolder>> | undefined;
  before(async () => {
    folder = await tempFolder();
    started = await startRedis({
      password: 'pass/word@1',
      config: { unixsocket: join(folder.path, 'socket') },
    });
  });
  after(async () => {
    await started?.close();
    await folder?.remove();
  });

  it('a script runs by its digest, and by its text where the server does not know it', async (t) => {
    const { link, told } = watchedLink(t, settingsOf(server().url));
    assert.equal(link.isUp(), false);
    await until(() => link.isUp(), 'the link is up');
    assert.deepEqual(told, ['up']);
    assert.equal(await link.run(INCREMENT, ['vm:{a}:n'], [2]), 2);
    assert.equal(await link.run(INCREMENT, ['vm:{a}:n'], ['3']), 5);
    await server().ask('SCRIPT', 'FLUSH');
    assert.equal(await link.run(INCREMENT, ['vm:{a}:n'], [1]), 6);
    await link.ping();
  });

  it('over a Unix socket as over the network, also while it is subscribed', async (t) => {
    const url = `unix://:${encodeURIComponent('pass/word@1')}@${join(folder?.path ?? '', 'socket')}?db=3`;
    const { link } = watchedLink(t, settingsOf(url));
    const heard: string[] = [];
    link.listen('vm:socket', { onMessage: (message) => heard.push(message), onGap: () => {} });
    await until(() => link.isUp(), 'the link is up');
    assert.equal(await link.run(INCREMENT, ['vm:{s}:n'], [2]), 2);
    await until(async () => (await link.publish('vm:socket', 'x')) > 0, 'it is subscribed');
    await until(() => heard.includes('x'), 'the message is heard');
    assert.match(String(await server().ask('INFO', 'keyspace')), /^db3:keys=/m);
  });

  it('a fault of the script itself is no fault of Redis, and quotes no argument', async (t) => {
    const { link, told } = watchedLink(t, settingsOf(server().url));
    await until(() => link.isUp(), 'the link is up');
    const wrong = { name: 'wrong', lua: "return redis.call('NOSUCH', ARGV[1])" };
    await assert.rejects(link.run(wrong, ['vm:x'], ['a-secret']), (error: unknown) => {
      assert.ok(error instanceof Error && !(error instanceof RedisUnavailable));
      assert.match(error.message, /^the Redis script wrong failed: Redis answered: /);
      assert.doesNotMatch(JSON.stringify([error, error.message, error.cause, error.stack]), /a-secret/);
      return true;
    });
    assert.deepEqual([link.isUp(), told], [true, ['up']]);
  });

  it('a channel is heard from its subscription on, and publishing tells how many heard', async (t) => {
    const { link } = watchedLink(t, settingsOf(server().url));
    const heard: string[] = [];
    link.listen('vm:here', {
      onMessage: (message) => heard.push(message),
      onGap: () => heard.push('gap'),
    });
    await until(() => heard.length === 1 && link.isUp(), 'the subscription stands');
    assert.equal(await link.publish('vm:here', 'hello'), 1);
    assert.equal(await link.publish('vm:nobody', 'hello'), 0);
    await until(() => heard.length === 2, 'the message is heard');
    assert.deepEqual(heard, ['gap', 'hello']);
  });

  it('a command ends at its limit; the link is down until Redis has answered again', async (t) => {
    const { link, told } = watchedLink(t, settingsOf(server().url, { timeoutMs: 200 }));
    await until(() => link.isUp(), 'the link is up');
    const start = performance.now();
    const slow = link.run(SLOW, ['vm:slow'], []);
    await assert.rejects(slow, fault('timeout'));
    assert.ok(performance.now() - start < 2_000);
    assert.equal(link.isUp(), false);
    await assert.rejects(link.run(INCREMENT, ['vm:n'], [1]), fault('timeout'));
    await until(() => link.isUp(), 'the link is up again');
    assert.deepEqual(told, ['up', 'down timeout', 'up']);
  });

  it('a command whose own limit is short does not take the link down when it ends there', async (t) => {
    const { link, told } = watchedLink(t, settingsOf(server().url, { timeoutMs: 60_000 }));
    await until(() => link.isUp(), 'the link is up');
    await assert.rejects(link.run(SLOW, ['vm:slow'], [], 60), fault('timeout'));
    assert.equal(link.isUp(), true);
    assert.equal(typeof (await link.run(INCREMENT, ['vm:n'], [1])), 'number');
    assert.deepEqual(told, ['up']);
  });

  it('a command whose own limit is short has a server that is silent found nevertheless', async (t) => {
    const { link } = watchedLink(t, settingsOf(server().url));
    await until(() => link.isUp(), 'the link is up');
    await server().pause();
    t.after(() => server().resume());
    await assert.rejects(link.run(INCREMENT, ['vm:n'], [1], 60), fault('timeout'));
    await until(() => !link.isUp(), 'the link is down');
  });

  it('a wrong password and a user without rights are told as such', async (t) => {
    await server().ask('ACL', 'SETUSER', 'reader', 'on', '>reader-pass', '~*', '&*', '+ping', '+get');
    const address = server().url.replace(/:[^:@/]*@/, '');
    const open = (account: string) => watchedLink(t, settingsOf(address.replace('//', `//${account}@`)));
    const links = [open(':wrong'), open('nobody:wrong'), open('reader:reader-pass')];
    await until(() => links.every(({ told }) => told.length > 0), 'each has told its fault');
    assert.deepEqual(
      links.map(({ told }) => told[0]),
      ['down login-refused', 'down login-refused', 'down not-permitted'],
    );
    const { link } = watchedLink(t, settingsOf(address.replace(/\/\/.*@/, '//')));
    await assert.rejects(link.ping(), RedisUnavailable);
  });

  it('a server with too many connections is told as such, and not as a wrong password', async (t) => {
    const first = watchedLink(t, settingsOf(server().url));
    await until(() => first.link.isUp(), 'the first link is up');
    t.after(async () => {
      await server().kill();
      await server().start();
    });
    await server().ask('CONFIG', 'SET', 'maxclients', 1);
    const withoutAccount = server().url.replace(/:[^:@/]*@/, '');
    for (const url of [server().url, withoutAccount]) {
      const { told } = watchedLink(t, settingsOf(url), { probe: busProbe('vm:') });
      await until(() => told.length > 0, 'the second has told its fault');
      assert.equal(told[0], 'down too-many-clients');
    }
  });
});

nothingLeft();
