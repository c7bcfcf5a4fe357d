import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { startTinyproxy } from '../helpers/forward-proxy.ts';
import { startTestService } from '../helpers/test-service.ts';

/** Where nothing listens: what goes by it is lost. */
async function dead(): Promise<string> {
  return `http://127.0.0.1:${await freePort()}`;
}

describe('what goes through a proxy', { skip: skipWithout('tinyproxy') }, () => {
  it('by HTTPS_PROXY and http_proxy: APNs, FCM, the token endpoint and the platform API', async (t) => {
    const proxy = await startTinyproxy(t);
    const { world, ...service } = await startTestService(t, {
      settings: { HTTPS_PROXY: proxy.url, http_proxy: proxy.url },
    });
    for (const kind of ['ios', 'android'] as const) {
      const { account } = await service.phone({ kind });
      assert.equal((await service.ask({ account })).outcome, 'ready');
    }
    const asked = proxy.asked();
    const times = (url: string) => asked.filter((each) => each === new URL(url).host).length;
    assert.equal(times(world.settings.APNS_URL), 1);
    // Its stand-in has FCM and the token endpoint at one origin.
    assert.equal(times(world.settings.FCM_URL), 2);
    assert.ok(times(world.settings.VG_API_BASE_URL) >= 1);
  });

  it('by PUSH_PROXY: push services and the token endpoint alone, whatever HTTPS_PROXY says', async (t) => {
    const proxy = await startTinyproxy(t);
    const { world, ...service } = await startTestService(t, {
      settings: { PUSH_PROXY: proxy.url, HTTPS_PROXY: await dead() },
    });
    const { account } = await service.phone();
    assert.equal((await service.ask({ account })).outcome, 'ready');
    const pushed = [world.settings.FCM_URL, world.settings.APNS_URL, world.settings.APNS_SANDBOX_URL];
    const hosts = pushed.map((url) => new URL(url).host);
    assert.ok(proxy.asked().includes(hosts[0] ?? ''));
    assert.ok(proxy.asked().every((each) => hosts.includes(each)));
  });

  it('nothing with PUSH_PROXY=off, and nothing that NO_PROXY excepts', async (t) => {
    const proxy = await dead();
    for (const settings of [
      { PUSH_PROXY: 'off', HTTPS_PROXY: proxy },
      { PUSH_PROXY: proxy, http_proxy: proxy, NO_PROXY: 'example.com, 127.0.0.0/8' },
    ]) {
      const service = await startTestService(t, { settings });
      const { account } = await service.phone();
      assert.equal((await service.ask({ account })).outcome, 'ready');
    }
  });

  it('registrations get 503 while the proxy of the platform API is down, and work again after', async (t) => {
    const proxy = await startTinyproxy(t);
    const service = await startTestService(t, { settings: { http_proxy: proxy.url } });
    const phone = await service.phone();
    await proxy.kill();
    assert.equal((await phone.register()).status, 503);
    await until(
      () =>
        service.logged.some((line) => JSON.stringify(line).includes(`the proxy ${proxy.url} (http_proxy)`)),
      'the log names the proxy',
    );
    await proxy.start();
    assert.equal((await phone.register()).status, 200);
  });

  it('a refusal by the proxy is not taken for one by the platform API', async (t) => {
    const login = { user: 'me', password: 'hunter2' };
    const proxy = await startTinyproxy(t, { login });
    const service = await startTestService(t, { settings: { http_proxy: proxy.urlFor('me', 'hunter21') } });
    const phone = await service.phone({ register: false });
    assert.equal((await phone.register()).status, 503);
    const log = JSON.stringify(service.logged);
    assert.match(log, /refuses the user or password in http_proxy/);
    assert.ok(!log.includes('hunter2'));
  });
});
