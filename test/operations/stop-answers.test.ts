import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Agent } from 'node:http';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { until } from '../../harness/until.ts';
import { askPbx, type PbxAnswer } from '../../src/sandbox/pbx.ts';
import { openSocket, rawRequest, readAnswers } from '../api/raw-socket.ts';
import { addPhone } from '../helpers/process-phone.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/service-process.ts';
import { createTlsFolder } from '../tls/tls-service.ts';

const WAITING = 1_000;
const CALL = rawRequest(
  'POST',
  '/api/incoming-call/',
  ['Content-Type: application/x-www-form-urlencoded'],
  'sip_user_id=300000000&phonenumber=1',
);
const PATIENT = { APP_PUSH_ROUNDTRIP_WAIT: '60000', APP_PUSH_RESEND_INTERVAL: '60000' };

async function waiting(service: ServiceProcess): Promise<number> {
  const text = await (await fetch(`${service.metricsUrl}/metrics`)).text();
  return Number(/^vialer_middleware_calls_waiting (\d+)$/m.exec(text)?.[1]);
}

async function holdCalls(
  t: TestContext,
  service: ServiceProcess,
  count: number,
): Promise<Promise<PbxAnswer>[]> {
  const phone = await addPhone(service, 60_000);
  t.after(() => phone.close());
  const agent = new Agent({ keepAlive: true });
  t.after(() => agent.destroy());
  const calls = Array.from({ length: count }, (_, index) =>
    askPbx({
      url: service.url,
      account: phone.account,
      phoneNumber: '020',
      callId: `call-${index}`,
      agent,
      timeoutMs: 60_000,
    }),
  );
  await until(async () => (await waiting(service)) === count, 'all calls wait');
  return calls;
}

/**
 * Halts a service that stops, until the kernel has made `count` connections for it: it finds them when it closes its
 * listeners. Then each asks for a call. Resolves with the outcomes.
 */
async function askAtEnd(
  service: ServiceProcess,
  count: number,
  ready: 'connect' | 'secureConnect',
  open: () => Socket,
): Promise<string[]> {
  service.process.kill('SIGTERM');
  await until(() => service.output().includes('stopping'), 'it stops');
  service.process.kill('SIGSTOP');
  // Longer than a service without calls takes to stop.
  await delay(600);
  let connected = 0;
  const heard = Array.from({ length: count }, () => {
    const socket = open().once('connect', () => (connected += 1));
    socket.once(ready, () => socket.write(CALL));
    return new Promise<string>((resolve) => {
      let text = '';
      socket.on('data', (chunk: Buffer) => (text += chunk.toString('latin1')));
      socket.once('error', ({ message }) => resolve(message));
      socket.once('close', () => resolve(/x-wake-outcome: (\S+)/.exec(text)?.[1] ?? `closed after: ${text}`));
    });
  });
  await until(() => connected === count, 'all are connected');
  service.process.kill('SIGCONT');
  return Promise.all(heard);
}

describe('the answers of a service that stops', () => {
  it('every waiting call gets its answer, and so does who asks meanwhile', async (t) => {
    const service = await startServiceProcess(t, { ...PATIENT, SHUTDOWN_GRACE: '300' });
    const calls = await holdCalls(t, service, WAITING);
    const ended = service.ended();
    service.process.kill('SIGTERM');
    // On new connections, until nobody listens any more.
    const late: string[] = [];
    for (let isOver = false; !isOver; ) {
      const asked = await askPbx({ url: service.url, account: 300_000_000, phoneNumber: '020' }).then(
        ({ status, body, outcome }) => `${status} ${body} ${outcome}`,
        (error: NodeJS.ErrnoException) => String(error.code),
      );
      isOver = asked === 'ECONNREFUSED';
      if (!isOver) late.push(asked);
    }
    const answers = await Promise.allSettled(calls);
    const heard = answers.map((each) =>
      each.status === 'fulfilled' ? each.value.outcome : String(each.reason),
    );
    assert.deepEqual(new Set(heard), new Set(['shutting-down']));
    // The first ones may have come before the signal did, and the last one in the moment of closing.
    if (late.at(-1) === 'ECONNRESET') late.pop();
    const refused = late.slice(late.indexOf('503 status=NAK shutting-down'));
    assert.deepEqual(new Set(refused), new Set(['503 status=NAK shutting-down']));
    assert.equal(await ended, 0);
  });

  it('each of a thousand connections that come in the moment of closing gets its answer', async (t) => {
    const service = await startServiceProcess(t, { SHUTDOWN_GRACE: '0' }, { openFiles: 4_000 });
    const port = Number(new URL(service.url).port);
    const outcomes = await askAtEnd(service, 1_000, 'connect', () => connect(port, '127.0.0.1'));
    assert.deepEqual(new Set(outcomes), new Set(['shutting-down']));
    assert.equal(await service.ended(), 0);
  });

  it('over TLS, those in their handshake count as coming', async (t) => {
    const { settings } = await createTlsFolder(t);
    const service = await startServiceProcess(t, { ...settings, SHUTDOWN_GRACE: '0' }, { openFiles: 4_000 });
    const port = Number(new URL(service.url).port);
    const outcomes = await askAtEnd(service, 200, 'secureConnect', () =>
      connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false }),
    );
    assert.deepEqual(new Set(outcomes), new Set(['shutting-down']));
    assert.equal(await service.ended(), 0);
  });

  it('a kept connection hears that it ends with its next answer', async (t) => {
    const service = await startServiceProcess(t, { ...PATIENT, SHUTDOWN_GRACE: '60000' });
    const [call] = await holdCalls(t, service, 1);
    const socket = await openSocket(service.url);
    service.process.kill('SIGTERM');
    await until(() => service.output().includes('stopping'), 'it stops');
    socket.write(rawRequest('GET', '/healthz'));
    const { text, closed } = await readAnswers(socket);
    assert.match(text, /^HTTP\/1\.1 200 .*\r\nConnection: close\r\n/is);
    assert.ok(closed);
    service.process.kill('SIGTERM');
    assert.equal((await call)?.outcome, 'shutting-down');
    assert.equal(await service.ended(), 0);
  });

  it('a client that reads nothing and one that sends half of a request do not hold up the end', async (t) => {
    const service = await startServiceProcess(t, { ...PATIENT, SHUTDOWN_GRACE: '0' });
    const sockets = await Promise.all([openSocket(service.url), openSocket(service.url)]);
    t.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    sockets[0]?.pause().write(rawRequest('GET', '/openapi.json').repeat(16));
    sockets[1]
      ?.resume()
      .write('POST /api/incoming-call/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nsip');
    await delay(200);
    service.process.kill('SIGTERM');
    const [code] = await once(service.process, 'exit', { signal: AbortSignal.timeout(15_000) });
    assert.equal(code, 0);
  });
});
