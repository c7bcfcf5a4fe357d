import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { until } from '../../harness/until.ts';
import { watchForLeftovers } from '../faults/nothing-left.ts';
import { startRedisSentinels } from '../helpers/redis-sentinel.ts';
import { INCREMENT } from './scripts.ts';
import { settingsOf, watchedLink } from './watched-link.ts';

const nothingLeft = watchForLeftovers();

describe('a master that Sentinels name', { skip: skipWithout('Redis') }, () => {
  it('after a failover commands and channel go to the new master, whichever Sentinels live', async (t) => {
    const redis = await startRedisSentinels({ password: 'pass/word@1', sentinelPassword: 'pass/word@1' });
    t.after(() => redis.close());
    // The first Sentinel is gone from the beginning.
    const { link, told } = watchedLink(t, settingsOf(redis.url.replace('@', '@127.0.0.1:1,')));
    const heard: string[] = [];
    link.listen('vm:i:1', { onMessage: (message) => heard.push(message), onGap: () => heard.push('gap') });
    await until(() => link.isUp() && heard.includes('gap'), 'commands and channel work');
    assert.equal(await link.run(INCREMENT, ['vm:n'], [1]), 1);

    const before = await redis.master();
    await before.kill();
    await until(() => !link.isUp(), 'the link is down');
    await until(() => link.isUp(), 'the link is up at the new master');
    assert.notEqual((await redis.master()).port, before.port);
    await link.run(INCREMENT, ['vm:n'], [1]);
    await until(() => heard.length >= 2, 'the subscription stands again');
    assert.equal(await link.publish('vm:i:1', 'hello'), 1);
    await until(() => heard.includes('hello'), 'the message is heard');
    assert.deepEqual(told.slice(0, 2).sort(), ['listening', 'up']);
    assert.equal(told.filter((event) => event.startsWith('down')).length, 1, told.join());

    // The old master comes back as a replica: nobody may end up there.
    await before.start();
    // A Sentinel that makes it one breaks the connections to it, that of the question included.
    const role = () => before.ask('ROLE').catch(() => '');
    await until(async () => String(await role()).startsWith('slave'), 'it is a replica');
    assert.equal(await link.publish('vm:i:1', 'again'), 1);
    await link.ping();
  });

  it('without a Sentinel that answers the link is down and tells why', async (t) => {
    const { link, told } = watchedLink(t, settingsOf('redis+sentinel://127.0.0.1:1,127.0.0.1:2/main'));
    await until(() => told.length > 0, 'it has told');
    assert.deepEqual([told, link.isUp()], [['down unreachable'], false]);
  });
});

nothingLeft();
