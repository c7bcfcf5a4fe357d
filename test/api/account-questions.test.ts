import assert from 'node:assert/strict';
import { Agent } from 'node:http';
import { describe, it } from 'node:test';
import { until } from '../../harness/until.ts';
import { sendHttp } from '../../src/sandbox/send-http.ts';
import { newAccount, startTestService } from '../helpers/test-service.ts';

/** More than may be asked. */
const BEYOND = 7;

describe('questions to a platform API that does not answer', () => {
  for (const [what, settings, most] of [
    ['512 at once', {}, 512],
    ['a quarter of MAX_CONNECTIONS', { MAX_CONNECTIONS: '100' }, 25],
  ] as const) {
    it(`are ${what}: who comes then hears 503 without waiting, and later ones are asked again`, async (t) => {
      const service = await startTestService(t, {
        settings: { VG_API_TIMEOUT: '10000', LIMIT_FAILED_AUTH: '0', ...settings },
      });
      const agent = new Agent({ maxSockets: Number.POSITIVE_INFINITY });
      t.after(() => agent.destroy());
      const statuses: number[] = [];
      const checkIn = async (): Promise<number> => {
        const { status } = await sendHttp({
          method: 'POST',
          url: `${service.url}/api/check-in/`,
          headers: { authorization: 'Basic dXNlcjpwdw==', 'content-type': 'application/json' },
          body: JSON.stringify({ sip_user_id: newAccount() }),
          agent,
          timeoutMs: 30_000,
        });
        statuses.push(status);
        return status;
      };
      const refused = (reason: string) =>
        service.metric(`vialer_middleware_platform_api_failures_total{reason="${reason}"}`);
      service.world.platform.script({ kind: 'hang' });
      const all = Promise.all(Array.from({ length: most + BEYOND }, checkIn));
      await until(() => statuses.length >= BEYOND, 'those beyond the bound are answered');
      assert.equal(await refused('too-many-questions'), BEYOND);
      assert.deepEqual(statuses, Array(BEYOND).fill(503));
      await all;
      assert.equal(await refused('too-many-questions'), BEYOND, 'all others were asked');
      assert.equal(await refused('timeout'), most);
      service.world.platform.clearFaults();
      assert.equal(await checkIn(), 401, 'a place is free again');
    });
  }
});
