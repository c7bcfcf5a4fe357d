import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { skipWithout } from '../helpers/find-server.ts';
import { startSquid, startTinyproxy } from '../helpers/forward-proxy.ts';
import { startTestService } from '../helpers/test-service.ts';

const PROXIES = [
  { name: 'tinyproxy', start: startTinyproxy },
  { name: 'squid', start: startSquid },
] as const;

for (const { name, start } of PROXIES) {
  describe(`calls through ${name}`, { skip: skipWithout(name) }, () => {
    test('everything that the service asks goes through it', async (t) => {
      const proxy = await start(t);
      const service = await startTestService(t, {
        settings: { HTTPS_PROXY: proxy.url, http_proxy: proxy.url },
      });
      const [android, ios] = [await service.phone(), await service.phone({ kind: 'ios' })];
      for (const { account } of [android, ios]) {
        assert.equal((await service.ask({ account })).outcome, 'ready');
      }
    });
  });
}
