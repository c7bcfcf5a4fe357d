import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { skipWithout } from '../../harness/find-server.ts';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import type { PbxAnswer } from '../../src/sandbox/pbx.ts';
import { startSquid, startTinyproxy } from '../helpers/forward-proxy.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';

const PROXIES = [
  // Tinyproxy takes letters and digits only.
  { name: 'tinyproxy', start: startTinyproxy, login: { user: 'push', password: 'hunter2' } },
  { name: 'squid', start: startSquid, login: { user: 'push@service', password: 'p:w/hunter2%' } },
] as const;
function told({ body, outcome }: PbxAnswer): string {
  return `${body} ${outcome}`;
}
/** The second while the breaker is open. */
const NOT_PUSHED = /^status=NAK (push-failed|provider-down)$/;
const KINDS = ['ios', 'android'] as const;

/** What the service wrote of this, and that it wrote no credential of the proxy anywhere. */
function logged(service: TestService, what: RegExp): string {
  const all = JSON.stringify(service.logged);
  assert.ok(!/hunter2|Basic [A-Za-z0-9]/.test(all), all);
  return service.logged.map((line) => JSON.stringify(line)).find((line) => what.test(line)) ?? '';
}

function waitFor(service: TestService, what: RegExp): Promise<void> {
  return until(() => logged(service, what) !== '', `the log says ${what}`);
}

/** Push services through the proxy; the platform is asked directly. */
function startThrough(t: Parameters<typeof startTestService>[0], proxy: string): Promise<TestService> {
  return startTestService(t, { settings: { PUSH_PROXY: proxy, APP_PUSH_ROUNDTRIP_WAIT: '4000' } });
}

for (const { name, start, login } of PROXIES) {
  describe(`calls through ${name}`, { skip: skipWithout(name) }, () => {
    it('ring with the right credentials', async (t) => {
      const proxy = await start(t, { login });
      const service = await startThrough(t, proxy.urlFor(login.user, login.password));
      for (const kind of KINDS) {
        const { account } = await service.phone({ kind });
        assert.equal((await service.ask({ account })).outcome, 'ready', kind);
      }
      logged(service, /./);
    });

    it('do not with wrong ones, and the log says which setting to correct', async (t) => {
      const proxy = await start(t, { login });
      const service = await startThrough(t, proxy.urlFor(login.user, 'hunter21'));
      const { account } = await service.phone({ kind: 'ios' });
      assert.match(told(await service.ask({ account })), NOT_PUSHED);
      await waitFor(service, /refuses the user or password in PUSH_PROXY \(40[17] /);
    });

    it('do not where the proxy refuses the push service, and the log quotes it', async (t) => {
      const port = await freePort();
      const refused = `127.0.0.1:${port}`;
      const proxy = await start(t, { refused: [refused] });
      const service = await startTestService(t, {
        world: { google: { port } },
        settings: { PUSH_PROXY: proxy.url },
      });
      const [iphone, android] = [await service.phone({ kind: 'ios' }), await service.phone()];
      const [ringing, lost] = await Promise.all([
        service.ask({ account: iphone.account }),
        service.ask({ account: android.account }),
      ]);
      assert.equal(ringing.outcome, 'ready');
      assert.match(told(lost), NOT_PUSHED);
      await waitFor(service, new RegExp(`refuses a tunnel to ${refused}: 403 .*allow CONNECT`));
      await waitFor(service, /Google access token not given.*refuses a tunnel to/);
    });

    it('ring although the proxy is killed and started again while they wait', async (t) => {
      const proxy = await start(t);
      // No push is sent again by the schedule: what rings did so over another tunnel.
      const waitMs = String(Math.ceil(margin(8_000)));
      const service = await startTestService(t, {
        settings: {
          PUSH_PROXY: proxy.url,
          APP_PUSH_ROUNDTRIP_WAIT: waitMs,
          APP_PUSH_RESEND_INTERVAL: waitMs,
        },
      });
      const phones = await Promise.all(KINDS.map((kind) => service.phone({ kind })));
      const callAll = () => Promise.all(phones.map(({ account }) => service.ask({ account })));
      const ready = ['ready', 'ready'];
      assert.deepEqual(
        (await callAll()).map(({ outcome }) => outcome),
        ready,
      );

      // The pushes are on the wire when the proxy dies under them.
      for (const provider of [service.world.apple, service.world.google]) {
        provider.script({ kind: 'hang' }, { times: 1 });
      }
      const during = callAll();
      await until(() => hanging(service) === 2, 'both pushes hang');
      await proxy.kill();
      await proxy.start();
      assert.deepEqual(
        (await during).map(({ outcome }) => outcome),
        ready,
      );

      // The calls come while nothing listens, for which a call waits 800 ms. A busy machine may start the proxy later.
      await proxy.kill();
      const killedAt = performance.now();
      const after = callAll();
      await proxy.start();
      const isInTime = performance.now() - killedAt < 500;
      const outcomes = (await after).map(({ outcome }) => outcome);
      if (isInTime) assert.deepEqual(outcomes, ready);
      assert.deepEqual(
        (await callAll()).map(({ outcome }) => outcome),
        ready,
      );
    });

    it('end when the proxy hangs, and ring again when it goes on', async (t) => {
      const proxy = await start(t);
      const service = await startThrough(t, proxy.url);
      const { account } = await service.phone({ kind: 'ios' });
      assert.equal((await service.ask({ account })).outcome, 'ready');
      await proxy.pause();
      assert.match(told(await service.ask({ account })), NOT_PUSHED);
      await waitFor(service, /gave no answer to CONNECT within \d+ ms/);
      proxy.resume();
      await until(async () => (await service.ask({ account })).outcome === 'ready', 'calls ring again');
    });
  });
}

/** How many pushes the stand-ins leave unanswered. */
function hanging({ world }: TestService): number {
  return [...world.apple.requests.list(), ...world.google.requests.list()].filter(
    ({ ending }) => ending === 'hang',
  ).length;
}
