import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { busProbe } from '../../src/bus/redis/bus-probe.ts';
import { BUS_SCRIPTS } from '../../src/bus/redis/scripts.ts';
import { startRedisSentinels } from '../helpers/redis-sentinel.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';

const ALL = ['~*', '&*', '+@all'] as const;

async function readiness(service: TestService): Promise<string> {
  const answer = await fetch(`${service.url}/readyz`);
  return `${answer.status} ${await answer.text()}`;
}

/** Waits until /readyz says so, and says what it said last if it never does. */
async function untilReadiness(service: TestService, expected: RegExp): Promise<void> {
  let last = '';
  await until(async () => {
    last = await readiness(service);
    return expected.test(last);
  }, `/readyz says ${expected}`).catch((cause: unknown) => assert.fail(`${String(cause)}; it says ${last}`));
}

function allow(redis: RedisServer, ...rights: readonly string[]) {
  return redis.ask('ACL', 'SETUSER', 'calls', 'reset', 'on', '>pw', ...rights);
}

function asUser(redis: RedisServer) {
  return redis.url.replace('//', '//calls:pw@');
}

describe('Redis that refuses what calls need', { skip: skipWithout('Redis') }, () => {
  const refusals = [
    ['scripts', [...ALL, '-@scripting'], /evalsha/],
    ['messages to other instances', [...ALL, '-publish'], /publish/],
    ['messages from other instances', [...ALL, '-subscribe'], /subscribe/],
    ['the channels', ['~*', '+@all'], /channel/],
    ['the clock', [...ALL, '-time'], /TIME/],
    ['the set of instances', [...ALL, '-zadd'], /ZADD/],
    ['the keys', ['~other:*', '&*', '+@all'], /key/],
  ] as const;
  for (const [what, rights, quoted] of refusals) {
    it(`is reported with Redis' own words, calls ring, and it is noticed when it is mended (${what})`, async (t) => {
      const redis = await startRedis();
      t.after(() => redis.close());
      await allow(redis, ...rights);
      const service = await startTestService(t, { settings: { REDIS_URL: asUser(redis) } });
      await untilReadiness(
        service,
        /^200 .*"degraded".*lacks a right in Redis that calls need; it says: \w+/,
      );
      assert.match(await readiness(service), quoted);
      assert.equal(await service.metric('redis_health'), 0);
      const line = service.logged.find(({ fields }) => fields['reason'] === 'not-permitted');
      assert.match(line?.message ?? '', quoted);
      const phone = await service.phone();
      assert.equal((await service.ask({ account: phone.account })).outcome, 'ready');
      await allow(redis, ...ALL);
      await untilReadiness(service, /^200 .*"ready"/);
      assert.equal(await service.metric('redis_health'), 1);
      // A right that is taken away while everything works.
      await allow(redis, ...rights);
      await redis.ask('CLIENT', 'KILL', 'USER', 'calls');
      await untilReadiness(service, /^200 .*"degraded".*lacks a right in Redis/);
      assert.equal(await service.metric('redis_health'), 0);
    });
  }

  it('is not ready if Redis is required', async (t) => {
    const redis = await startRedis();
    t.after(() => redis.close());
    await allow(redis, ...ALL, '-@scripting');
    const settings = { REDIS_URL: asUser(redis), REDIS_REQUIRED: 'on' };
    const service = await startTestService(t, { settings });
    await untilReadiness(service, /^503 .*it says: NOPERM.*evalsha/);
    const phone = await service.phone();
    assert.equal((await service.ask({ account: phone.account })).outcome, 'bus-unavailable');
  });

  it('has no scripts at all, as behind some proxies', async (t) => {
    const redis = await startRedis({
      config: { 'rename-command EVALSHA': '""', 'rename-command EVAL': '""', 'rename-command SCRIPT': '""' },
    });
    t.after(() => redis.close());
    const service = await startTestService(t, { settings: { REDIS_URL: redis.url } });
    await untilReadiness(service, /^200 .*"degraded".*refuses a command.*unknown command.*EVALSHA/i);
    assert.equal(await service.metric('redis_health'), 0);
  });

  it('does not know the password', async (t) => {
    const redis = await startRedis({ password: 'right' });
    t.after(() => redis.close());
    const service = await startTestService(t, {
      settings: { REDIS_URL: redis.url.replace('right', 'not-this-one') },
    });
    await untilReadiness(service, /"degraded".*refuses the user or the password; it says: WRONGPASS/);
    assert.ok(service.logged.every(({ message }) => !message.includes('not-this-one')));
  });
});

describe('Sentinels with a password of their own', { skip: skipWithout('Redis') }, () => {
  it('are logged in to with REDIS_SENTINEL_PASSWORD, and quoted without it', async (t) => {
    const redis = await startRedisSentinels({ password: 'of-redis', sentinelPassword: 'of-sentinels' });
    t.after(() => redis.close());
    const settings = { REDIS_URL: redis.url };
    const wrong = await startTestService(t, { settings });
    await untilReadiness(wrong, /"degraded".*set REDIS_SENTINEL_PASSWORD; it says: (WRONGPASS|NOAUTH)/);
    const right = await startTestService(t, {
      settings: { ...settings, REDIS_SENTINEL_PASSWORD: 'of-sentinels' },
    });
    await untilReadiness(right, /^200 .*"ready"/);
  });

  it('may have users', async (t) => {
    const redis = await startRedisSentinels({ password: 'of-redis', sentinelPassword: 'of-sentinels' });
    t.after(() => redis.close());
    for (const sentinel of redis.sentinels)
      await sentinel.ask('ACL', 'SETUSER', 'calls', 'on', '>p', '+sentinel|get-master-addr-by-name');
    const service = await startTestService(t, {
      settings: {
        REDIS_URL: redis.url,
        REDIS_SENTINEL_USERNAME: 'calls',
        REDIS_SENTINEL_PASSWORD: 'p',
      },
    });
    await untilReadiness(service, /^200 .*"ready"/);
  });
});

describe('the probe of the bus', () => {
  it('calls every command that a script of the bus calls', () => {
    const commandsOf = (lua: string) =>
      [...lua.matchAll(/redis\.call\('([A-Z]+)'/g)].map(([, command]) => command);
    const { script } = busProbe('vm:');
    const probed = new Set([...script.lua.matchAll(/\{ '([A-Z]+)'/g)].map(([, command]) => command));
    assert.ok(probed.size > 0);
    for (const { name, lua } of BUS_SCRIPTS) {
      for (const command of commandsOf(lua)) assert.ok(probed.has(command), `${command} of ${name}`);
    }
  });
});
