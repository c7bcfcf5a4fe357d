import assert from 'node:assert/strict';
import { Agent } from 'node:https';
import { describe, it } from 'node:test';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { askPbx, cancelPbxCall } from '../../src/sandbox/pbx.ts';
import { startTestService } from '../helpers/test-service.ts';
import { tempFolder } from '../storage/temp-folder.ts';
import { REVERSE_PROXIES, skipWithoutProxy, startReverseProxy } from './reverse-proxy.ts';

/** Long enough that a call whose PBX hung up cannot have ended by itself. */
const WAIT_MS = 20_000;
const CALL_ID = 'a-call@pbx';

for (const proxy of REVERSE_PROXIES) {
  describe(`behind ${proxy.name}, as docs/deployment.md has it`, { skip: skipWithoutProxy(proxy) }, () => {
    const ends = proxy.passesHangUps ? 'ends it' : 'ends it by a cancel alone';
    it(`a call rings, and a PBX that hangs up ${ends}`, async (t) => {
      const port = await freePort();
      const url = `https://127.0.0.1:${port}`;
      const service = await startTestService(t, {
        settings: {
          APP_API_URL: url,
          TRUST_PROXY: '127.0.0.1',
          APP_PUSH_ROUNDTRIP_WAIT: String(WAIT_MS),
          ACCOUNT_AUTH: 'none',
        },
      });
      const folder = await tempFolder();
      t.after(() => folder.remove());
      const place = { port, service: new URL(service.url).host, folder: folder.path };
      const running = await startReverseProxy(proxy, place, service.world.ca.issueServer());
      t.after(() => running.close());

      // The app registers and answers through the proxy, too.
      const agent = new Agent();
      t.after(() => agent.destroy());
      const phone = await service.phone({ kind: 'ios', server: url, agent });
      const call = { url, phoneNumber: '0201234567' };
      const answer = await askPbx({ ...call, account: phone.account });
      assert.deepEqual([answer.body, answer.outcome], ['status=ACK', 'ready']);

      const silent = await service.phone({ kind: 'ios', silent: true, server: url, agent });
      const hangUp = new AbortController();
      const asking = askPbx({
        ...call,
        account: silent.account,
        callId: CALL_ID,
        signal: hangUp.signal,
      });
      const ended = asking.then(
        () => 'answered',
        () => 'hung up',
      );
      await until(() => silent.pushes() > 0, 'the phone is woken');
      const hungUpAt = performance.now();
      hangUp.abort();
      assert.equal(await ended, 'hung up');
      const isOver = () => service.logged.some(({ message }) => message === 'call ended: caller-gone');
      if (proxy.passesHangUps) {
        await until(isOver, 'the call ends');
        assert.ok(performance.now() - hungUpAt < WAIT_MS / 2);
      } else {
        // What the page says of it: the call goes on until the PBX cancels it.
        await until(() => performance.now() - hungUpAt > 1_000, 'the proxy had its time');
        assert.equal(isOver(), false);
        assert.equal((await cancelPbxCall({ url, callId: CALL_ID })).body, 'status=CANCELLED');
      }
    });
  });
}
