import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';
import { startTestService } from '../helpers/test-service.ts';
import { asForm, send } from './http-client.ts';

describe('LIMIT_UNKNOWN_ANSWERS with two instances', { skip: skipWithout('Redis') }, () => {
  const servers: RedisServer[] = [];
  before(async () => {
    servers.push(await startRedis());
  });
  after(() => servers[0]?.close());

  it('a phone that answers at the other instance is heard among the guesses of its neighbours', async (t) => {
    const settings = {
      REDIS_URL: servers[0]?.url ?? '',
      LIMIT_UNKNOWN_ANSWERS: '3',
      APP_PUSH_ROUNDTRIP_WAIT: '30000',
      APP_PUSH_RESEND_INTERVAL: '30000',
    };
    const [asked, answered] = [
      await startTestService(t, { settings }),
      await startTestService(t, { settings }),
    ];
    for (const { url } of [asked, answered]) {
      await until(
        async () => (await (await fetch(`${url}/readyz`)).text()).includes('"ready"'),
        'Redis is up',
      );
    }
    const respond = async (uniqueKey: string) => {
      const answer = await send(answered.url, {
        path: '/api/call-response/',
        ...asForm({ unique_key: uniqueKey, message_start_time: '1' }),
      });
      return answer.status;
    };
    const phone = await asked.phone({ silent: true });
    const told = new Set<number>();
    for (let call = 0; call < 3; call += 1) {
      const callId = randomUUID();
      const waiting = asked.ask({ account: phone.account, callId });
      await until(() => phone.pushes() === call + 1, 'the phone is pushed');
      const guesses = await Promise.all(Array.from({ length: 300 }, () => respond(randomUUID())));
      for (const status of guesses) told.add(status);
      assert.equal(await respond(callId), 202);
      assert.equal((await waiting).body, 'status=ACK');
    }
    assert.ok(told.has(429), 'the address is over its limit');
  });
});
