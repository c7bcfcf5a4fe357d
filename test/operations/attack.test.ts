import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readdirSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { describe, it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { until } from '../../harness/until.ts';
import { askPbx } from '../../src/sandbox/pbx.ts';
import { rawRequest } from '../api/raw-socket.ts';
import { addPhone } from '../helpers/process-phone.ts';
import { type ServiceProcess, startServiceProcess } from '../helpers/service-process.ts';
import { createTlsFolder } from '../tls/tls-service.ts';

const OPEN_FILES = 512;
/** What a client sends that never reads: up to the bound of unanswered requests, and beyond it. */
const DEAF = [16, 150, 16].map((count) => rawRequest('GET', '/openapi.json').repeat(count));

type Connector = (url: string) => Socket;

const plain: Connector = (url) => connect(Number(new URL(url).port), '127.0.0.1');
const secure: Connector = (url) =>
  connectTls({ port: Number(new URL(url).port), host: '127.0.0.1', rejectUnauthorized: false });

/** Opens connections that never read; without TLS it opens those again that the service closes. */
function attack(t: TestContext, service: ServiceProcess, open: Connector, count: number): () => number {
  let made = 0;
  let isOver = false;
  const sockets = new Set<Socket>();
  t.after(() => {
    isOver = true;
    for (const socket of sockets) socket.destroy();
  });
  const one = (): void => {
    if (isOver) return;
    const socket = open(service.url).pause();
    sockets.add(socket);
    let isSent = false;
    socket.on('error', () => {});
    socket.once(open === secure ? 'secureConnect' : 'connect', () => {
      socket.write(DEAF[made % DEAF.length] ?? '');
      isSent = true;
      made += 1;
    });
    socket.once('close', () => {
      sockets.delete(socket);
      // One that is closed in its handshake has come, too.
      if (!isSent) made += 1;
      // A storm of handshakes would only measure how fast the machine is.
      if (open === plain) setTimeout(one, 500);
    });
  };
  for (let index = 0; index < count; index += 1) one();
  return () => made;
}

async function callsRing(
  t: TestContext,
  service: ServiceProcess,
  open: Connector,
  count: number,
  agent?: Agent,
) {
  const phone = await addPhone(service, 5, agent);
  t.after(() => phone.close());
  const made = attack(t, service, open, count);
  let mostFiles = 0;
  for (let calls = 0; calls < 10 || made() < count; calls += 1) {
    const { body, outcome } = await askPbx({
      url: service.url,
      account: phone.account,
      phoneNumber: '020',
      timeoutMs: 60_000,
      ...(agent === undefined ? {} : { agent }),
    });
    assert.equal(`${body} ${outcome}`, 'status=ACK ready');
    mostFiles = Math.max(mostFiles, readdirSync(`/proc/${service.process.pid}/fd`).length);
    await delay(50);
  }
  assert.ok(mostFiles < OPEN_FILES - 50, `${mostFiles} files are open`);
}

describe('more clients that never read than the process may open files', () => {
  const settings = { APP_PUSH_ROUNDTRIP_WAIT: '20000', LOG_LEVEL: 'info' };

  it('calls ring', async (t) => {
    const service = await startServiceProcess(t, settings, { openFiles: OPEN_FILES });
    await callsRing(t, service, plain, 600);
  });

  it('calls ring over TLS', async (t) => {
    const folder = await createTlsFolder(t);
    const service = await startServiceProcess(
      t,
      { ...settings, ...folder.settings },
      { openFiles: OPEN_FILES },
    );
    const agent = new Agent({ ca: folder.ca.certificate });
    await callsRing(t, service, secure, 600, agent);
  });
});

it('a burst of calls on three times MAX_CONNECTIONS connections: each is answered', async (t) => {
  const waitMs = 3_000;
  const service = await startServiceProcess(t, {
    MAX_CONNECTIONS: '100',
    MAX_WAITING_CALLS: '100',
    APP_PUSH_ROUNDTRIP_WAIT: String(waitMs),
    APP_PUSH_RESEND_INTERVAL: String(waitMs),
  });
  const phone = await addPhone(service, 60_000);
  t.after(() => phone.close());
  const calls = Array.from({ length: 300 }, (_, index) =>
    askPbx({ url: service.url, account: phone.account, phoneNumber: '020', callId: `call-${index}` }),
  );
  const answers = await Promise.allSettled(calls);
  const heard = answers.map((each) =>
    each.status === 'fulfilled' ? each.value.outcome : String(each.reason),
  );
  assert.deepEqual(new Set(heard), new Set(['timed-out', 'overloaded']));
});

it('a client that does not read its metrics, or opens connections there, does not keep Prometheus out', async (t) => {
  const service = await startServiceProcess(t);
  const sockets = Array.from({ length: 100 }, () => plain(service.metricsUrl).pause());
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  await Promise.all(
    sockets.map((socket) =>
      once(
        socket.on('error', () => {}),
        'connect',
      ),
    ),
  );
  for (const socket of sockets.slice(50)) socket.write(rawRequest('GET', '/metrics').repeat(16));
  const text = async () => (await fetch(`${service.metricsUrl}/metrics`)).text();
  await until(
    async () => /connections_closed_total\{why="(idle|crowded)"\} [1-9]/.test(await text()),
    'some are closed',
  );
});
