import assert from 'node:assert/strict';
import type { Socket } from 'node:net';
import { it, type TestContext } from 'node:test';
import { until } from '../../harness/until.ts';
import { trustSandbox } from '../../src/cli/sandbox/sandbox-apps.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { createTlsFolder } from '../tls/tls-service.ts';
import { openSocket } from './raw-socket.ts';

const CONNECTIONS = 300;
const SETTINGS = {
  MAX_CONNECTIONS: '100',
  APP_PUSH_ROUNDTRIP_WAIT: '30000',
  APP_PUSH_RESEND_INTERVAL: '30000',
};

/** What a client sends that wants nothing but the place: nothing, half of its headers, no body. */
const STARTS = [
  '',
  'POST /api/call-response/ HTTP/1.1\r\nHost: x\r\nContent-Le',
  'POST /api/call-response/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
];

/** Opens connections that are kept, and tells how many of them are closed. */
async function crowd(t: TestContext, url: string, starts: readonly string[]): Promise<() => number> {
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  let closed = 0;
  for (let index = 0; index < CONNECTIONS; index += 1) {
    const socket = await openSocket(url);
    sockets.push(socket);
    socket.on('close', () => {
      closed += 1;
    });
    socket.on('end', () => socket.destroy());
    socket.resume().write(starts[index % starts.length] ?? '', 'latin1');
  }
  return () => closed;
}

/** A call that waits before the crowd comes, and one that is asked for in it. */
async function callsInTheCrowd(
  t: TestContext,
  service: TestService,
  starts: readonly string[],
): Promise<void> {
  const [silent, phone] = [await service.phone({ silent: true }), await service.phone()];
  const waiting = service.ask({ account: silent.account });
  await until(() => silent.pushes() === 1, 'the call waits');
  const closed = await crowd(t, service.url, starts);
  await until(() => closed() >= CONNECTIONS - 100, 'connections that ask for nothing are closed');
  assert.equal(service.running.waiting(), 1);
  assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
  const [push] = service.world.google.received.list();
  assert.ok(push);
  assert.equal((await silent.answer(push)).status, 202);
  assert.equal((await waiting).body, 'status=ACK');
  const told = await service.metric('vialer_middleware_connections_closed_total{why="idle"}');
  assert.ok(told >= CONNECTIONS - 100 && told <= CONNECTIONS + 10, `${told} told`);
  const lines = service.logged.filter(({ message }) => message.includes('MAX_CONNECTIONS'));
  assert.equal(lines.length, 20);
}

it('connections that ask for nothing make room for those that do; calls that wait are not touched', async (t) => {
  await callsInTheCrowd(t, await startTestService(t, { settings: SETTINGS }), STARTS);
});

it('the same over TLS, before the handshake', async (t) => {
  const folder = await createTlsFolder(t);
  const service = await startTestService(t, { settings: { ...SETTINGS, ...folder.settings } });
  trustSandbox(folder.ca.certificate);
  // The first bytes of a ClientHello, and none.
  await callsInTheCrowd(t, service, ['', '\x16\x03\x01']);
});
