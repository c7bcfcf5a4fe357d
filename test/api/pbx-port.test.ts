import assert from 'node:assert/strict';
import { createServer } from 'node:net';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { askPbx } from '../../src/sandbox/pbx.ts';
import { startTestService } from '../helpers/test-service.ts';
import { agentOf, createTlsFolder } from '../tls/tls-service.ts';
import { asForm, send } from './http-client.ts';
import { openSocket } from './raw-socket.ts';

const PBX_PATHS = [
  '/api/incoming-call/',
  '/api/call-cancelled',
  '//api/incoming-call/',
  '/api/incoming-call/x',
];
const APP_PATHS = [
  '/api/call-response/',
  '/api/android-device/',
  '/api/apns-device',
  '/api/gcm-device/',
  '/api/hangup-reason/',
  '/api/log-metrics/',
  '/api/check-in/',
];
const WAIT = { APP_PUSH_ROUNDTRIP_WAIT: '20000' };

it('with PBX_PORT each listener has its own endpoints, and 404 for the others', async (t) => {
  const service = await startTestService(t, { settings: { PBX_PORT: '0', ...WAIT } });
  const { url, pbxUrl } = service.running;
  assert.notEqual(url, pbxUrl);
  for (const method of ['POST', 'GET', 'DELETE', 'OPTIONS']) {
    for (const path of PBX_PATHS) {
      assert.equal((await send(url, { method, path, ...asForm({}) })).status, 404, `${method} ${path}`);
      const served = await send(pbxUrl, { method, path, ...asForm({}) });
      assert.equal(served.status, method === 'POST' ? 400 : 405, `${method} ${path}`);
    }
    for (const path of APP_PATHS) {
      assert.equal((await send(pbxUrl, { method, path, ...asForm({}) })).status, 404, `${method} ${path}`);
      assert.notEqual((await send(url, { method, path, ...asForm({}) })).status, 404, `${method} ${path}`);
    }
  }
  for (const path of ['/healthz', '/readyz']) {
    for (const each of [url, pbxUrl]) assert.equal((await send(each, { method: 'GET', path })).status, 200);
  }
  assert.equal((await send(pbxUrl, { method: 'GET', path: '/openapi.json' })).status, 404);
  const phone = await service.phone();
  assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
  const line = service.logged.find(({ message }) => message === 'listening');
  assert.deepEqual([line?.fields['url'], line?.fields['pbxUrl']], [url, pbxUrl]);
});

it('PBX_ALLOW and PBX_TOKEN hold on the listener of PBXs', async (t) => {
  const token = 'pbx-secret-0123456789abcdef';
  const service = await startTestService(t, { settings: { PBX_PORT: '0', PBX_TOKEN: token, ...WAIT } });
  const ask = (headers: Readonly<Record<string, string>>) =>
    send(service.running.pbxUrl, { path: '/api/incoming-call/', ...asForm({}), headers });
  assert.equal((await ask({})).status, 403);
  assert.equal((await ask({ authorization: `Bearer ${token}` })).status, 400);
  const elsewhere = await startTestService(t, { settings: { PBX_PORT: '0', PBX_ALLOW: '192.0.2.0/24' } });
  const refused = await send(elsewhere.running.pbxUrl, { path: '/api/incoming-call/', ...asForm({}) });
  assert.deepEqual([refused.status, /127\.0\.0\.1/.test(refused.body)], [403, true]);
});

it('TLS and the client certificate of a PBX hold there, too', async (t) => {
  const folder = await createTlsFolder(t);
  const settings = { ...folder.settings, ...folder.mutual, PBX_PORT: '0', ...WAIT };
  const service = await startTestService(t, { settings });
  trustSandbox(folder.ca.certificate);
  assert.match(service.running.pbxUrl, /^https:/);
  const phone = await service.phone();
  const ask = (agent: ReturnType<typeof agentOf>) =>
    askPbx({ url: service.running.pbxUrl, agent, account: phone.account, phoneNumber: '020' });
  const shown = folder.pbxCa.issueClient({ commonName: 'pbx-1' });
  assert.equal((await ask(agentOf(t, { ca: folder.ca }))).status, 403);
  assert.equal((await ask(agentOf(t, { ca: folder.ca, shown }))).body, 'status=ACK');
});

it('a flood of connections at one listener leaves the other one its part', async (t) => {
  const service = await startTestService(t, {
    settings: { PBX_PORT: '0', MAX_CONNECTIONS: '200', MAX_WAITING_CALLS: '100', ...WAIT },
  });
  const phone = await service.phone({ silent: true });
  const pbx = await openSocket(service.running.pbxUrl);
  t.after(() => pbx.destroy());
  const sockets = await Promise.all(Array.from({ length: 300 }, () => openSocket(service.url)));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  const closed = 'vialer_middleware_connections_closed_total';
  const metrics = async () => (await fetch(`${service.running.metricsUrl}/metrics`)).text();
  await until(
    async () => (await metrics()).split('\n').some((line) => line.startsWith(closed) && !line.endsWith(' 0')),
    'connections of the flood are closed',
  );
  let isClosed = false;
  pbx.once('close', () => {
    isClosed = true;
  });
  const waiting = service.ask({ account: phone.account, callId: 'flood' });
  await until(() => phone.pushes() === 1, 'the call comes through');
  assert.equal(isClosed, false, 'an idle connection of a PBX stays');
  await send(service.running.pbxUrl, { path: '/api/call-cancelled/', ...asForm({ call_id: 'flood' }) });
  assert.equal((await waiting).outcome, 'cancelled');
});

it('a port that is taken ends the start with the name of the setting', async (t) => {
  const taken = createServer();
  await new Promise<void>((resolve) => {
    taken.listen(0, '127.0.0.1', resolve);
  });
  t.after(() => taken.close());
  const address = taken.address();
  assert.ok(typeof address === 'object' && address !== null);
  await assert.rejects(
    startTestService(t, { settings: { PBX_PORT: String(address.port) } }),
    /is in use; set PBX_HOST or PBX_PORT/,
  );
});

it('a call that waits at the listener of PBXs gets its answer when the service stops', async (t) => {
  const service = await startTestService(t, { settings: { PBX_PORT: '0', ...WAIT } });
  const phone = await service.phone({ silent: true });
  const waiting = service.ask({ account: phone.account });
  await until(() => phone.pushes() === 1, 'the call waits');
  await service.running.stop(Promise.resolve());
  assert.equal((await waiting).outcome, 'shutting-down');
  await assert.rejects(fetch(`${service.running.pbxUrl}/healthz`));
});
