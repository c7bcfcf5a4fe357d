import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { asJson, send } from './http-client.ts';
import { addMember, type Member, registration } from './members.ts';

function register(
  service: TestService,
  member: Member,
  more: { readonly method?: string; readonly authorization?: string } = {},
) {
  return send(service.url, {
    path: '/api/android-device/',
    ...asJson(registration(member)),
    method: more.method ?? 'POST',
    headers: { authorization: more.authorization ?? member.basic },
  });
}

async function statuses(times: number, ask: () => Promise<{ readonly status: number }>): Promise<number[]> {
  const all: number[] = [];
  for (let time = 0; time < times; time += 1) all.push((await ask()).status);
  return all;
}

describe('LIMIT_REGISTRATIONS', () => {
  it('an account is throttled alone, removals count, and the platform is spared', async (t) => {
    const service = await startTestService(t, { settings: { LIMIT_REGISTRATIONS: '4' } });
    const [busy, calm] = [addMember(service), addMember(service)];
    assert.deepEqual(await statuses(3, () => register(service, busy)), [201, 200, 200]);
    assert.equal((await register(service, busy, { method: 'DELETE' })).status, 200);
    const refused = await register(service, busy);
    assert.deepEqual(
      [refused.status, refused.contentType, refused.body],
      [429, 'application/json', '{"detail":"Request was throttled."}'],
    );
    const seconds = Number(refused.headers['retry-after']);
    assert.ok(seconds >= 1 && seconds <= 60);
    assert.equal(
      (await register(service, busy, { authorization: busy.token })).status,
      429,
      'by any credential',
    );
    assert.equal((await register(service, calm)).status, 201);
    const report = await send(service.url, {
      path: '/api/check-in/',
      ...asJson({ sip_user_id: busy.account }),
      headers: { authorization: busy.basic },
    });
    assert.equal(report.status, 404, 'reports are not counted');
    const limited = 'vialer_middleware_requests_refused_total{endpoint="android-device",why="limited"}';
    assert.equal(await service.metric(limited), 2);
  });

  it('a burst that the platform judges at one moment gets no more through, on every endpoint of phones', async (t) => {
    const service = await startTestService(t, { settings: { LIMIT_REGISTRATIONS: '4' } });
    const member = addMember(service);
    const burst = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        register(service, member, { method: i % 2 === 0 ? 'POST' : 'DELETE' }),
      ),
    );
    const throttled = burst.filter(({ status }) => status === 429);
    assert.equal(throttled.length, 36);
    assert.ok(throttled.every(({ headers }) => Number(headers['retry-after']) >= 1));
    const limited = 'vialer_middleware_requests_refused_total{endpoint="android-device",why="limited"}';
    assert.equal(await service.metric(limited), 36);
  });

  it('nobody can use up the registrations of an account that is not theirs', async (t) => {
    const service = await startTestService(t, {
      settings: { LIMIT_REGISTRATIONS: '2', LIMIT_FAILED_AUTH: '0' },
    });
    const [owner, other] = [addMember(service), addMember(service)];
    assert.deepEqual(
      await statuses(5, () => register(service, owner, { authorization: other.basic })),
      [403, 403, 403, 403, 403],
    );
    assert.equal((await register(service, owner)).status, 201);
  });

  it('it holds without accounts being asked for, and 0 is no limit', async (t) => {
    const bounded = await startTestService(t, {
      settings: { ACCOUNT_AUTH: 'none', LIMIT_REGISTRATIONS: '2' },
    });
    const member = addMember(bounded);
    assert.deepEqual(await statuses(3, () => register(bounded, member)), [201, 200, 429]);
    const free = await startTestService(t, { settings: { ACCOUNT_AUTH: 'none', LIMIT_REGISTRATIONS: '0' } });
    const all = new Set(await statuses(100, () => register(free, addMember(free, member.account))));
    assert.deepEqual([...all], [201, 200]);
  });

  it('a flood of registrations and hangup reports leaves no flood of lines', async (t) => {
    const service = await startTestService(t, {
      settings: { ACCOUNT_AUTH: 'none', LIMIT_REGISTRATIONS: '0' },
    });
    const member = addMember(service);
    const hangup = () =>
      send(service.url, {
        path: '/api/hangup-reason/',
        ...asJson({ sip_user_id: member.account, unique_key: 'k', reason: 'busy' }),
      });
    for (let round = 0; round < 65; round += 1) {
      await Promise.all(Array.from({ length: 10 }, () => register(service, member)));
      await Promise.all(Array.from({ length: 10 }, hangup));
    }
    const count = (message: string) =>
      service.logged.filter((line) => line.message.startsWith(message)).length;
    assert.equal(count('phone registered'), 600);
    assert.equal(count('app could not take the call'), 600);
  });
});

describe('LIMIT_REGISTRATIONS with two instances', { skip: skipWithout('Redis') }, () => {
  const servers: RedisServer[] = [];
  before(async () => {
    servers.push(await startRedis());
  });
  after(() => servers[0]?.close());

  it('what was registered at one instance counts at the other', async (t) => {
    const settings = {
      REDIS_URL: servers[0]?.url ?? '',
      ACCOUNT_AUTH: 'none',
      LIMIT_REGISTRATIONS: '3',
    };
    const [one, other] = [await startTestService(t, { settings }), await startTestService(t, { settings })];
    for (const { url } of [one, other]) {
      await until(
        async () => (await (await fetch(`${url}/readyz`)).text()).includes('"ready"'),
        'Redis is up',
      );
    }
    const member = addMember(one);
    assert.deepEqual(await statuses(3, () => register(one, member)), [201, 200, 200]);
    await register(other, member);
    await until(
      async () => (await register(other, member)).status === 429,
      'the other instance has learnt it',
    );
  });
});
