import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import { CLOSED_BECAUSE } from '../../src/http/listener/connection.ts';
import { newAccount, startTestService, type TestService } from '../helpers/test-service.ts';
import { asForm, send } from './http-client.ts';
import { exchange, openSocket, rawRequest, readAnswers } from './raw-socket.ts';

const FORM = 'Content-Type: application/x-www-form-urlencoded';
const PATIENT = { APP_PUSH_ROUNDTRIP_WAIT: '30000', APP_PUSH_RESEND_INTERVAL: '30000' };

async function assertAlive(service: TestService): Promise<void> {
  assert.equal((await send(service.url, { method: 'GET', path: '/healthz' })).status, 200);
}

function requestsInvalid(service: TestService, endpoint: string): Promise<number> {
  return service.metric(`vialer_middleware_requests_invalid_total{endpoint="${endpoint}",field="request"}`);
}

function callOf(account: number, more = ''): string {
  return rawRequest('POST', '/api/incoming-call/', [FORM], `sip_user_id=${account}&phonenumber=020${more}`);
}

it('headers that are too long are 431', async (t) => {
  const service = await startTestService(t);
  const long = 'x'.repeat(17_000);
  for (const request of [
    rawRequest('GET', '/healthz', [`X-Long: ${long}`]),
    rawRequest('GET', `/${long}`),
    rawRequest(
      'GET',
      '/healthz',
      Array.from({ length: 2_500 }, (_, index) => `X-${index}: y`),
    ),
  ]) {
    const { statuses, closed } = await exchange(service.url, request);
    assert.deepEqual([statuses, closed], [[431], true]);
  }
  await assertAlive(service);
});

it('what cannot be read as HTTP is 400 and ends the connection', async (t) => {
  const service = await startTestService(t);
  const rows = [
    'garbage\r\n\r\n',
    'GET /healthz HTTP/9.9\r\nHost: x\r\n\r\n',
    'GET /healthz HTTP/1.1\r\n\r\n',
    'FOO /healthz HTTP/1.1\r\nHost: x\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n',
    'GET /healthz HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n',
    'GET /health\0z HTTP/1.1\r\nHost: x\r\n\r\n',
    '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
    'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  ];
  for (const row of rows) {
    const { statuses, text, closed } = await exchange(service.url, Buffer.from(row, 'latin1'));
    assert.ok(closed, JSON.stringify(row));
    assert.ok(statuses.every((status) => status === 400) || text === '', `${JSON.stringify(row)}: ${text}`);
  }
  await assertAlive(service);
});

it('lengths that contradict each other are 400, and nothing behind them is taken for a request', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone();
  const inner = callOf(phone.account);
  const outer = (headers: readonly string[], body: string): string =>
    `${['POST /api/call-response/ HTTP/1.1', 'Host: x', FORM, ...headers].join('\r\n')}\r\n\r\n${body}${inner}`;
  const rows = [
    outer(['Content-Length: 5', 'Transfer-Encoding: chunked'], '0\r\n\r\n'),
    outer(['Transfer-Encoding: chunked', 'Content-Length: 5'], '0\r\n\r\n'),
    outer(['Content-Length: 5', 'Content-Length: 6'], 'abcdef'),
    outer(['Content-Length: 5, 6'], 'abcdef'),
    outer(['Content-Length: +5'], 'abcde'),
    outer(['Content-Length: 0x5'], 'abcde'),
    outer(['Content-Length: -1'], ''),
    outer(['Content-Length: 99999999999999999999999'], ''),
    outer(['Transfer-Encoding: chunked, identity'], '0\r\n\r\n'),
    outer(['Transfer-Encoding: xchunked'], '0\r\n\r\n'),
    outer(['Transfer-Encoding: identity'], ''),
    outer(['Transfer-Encoding : chunked'], '0\r\n\r\n'),
    outer([' Content-Length: 0'], ''),
    outer(['Transfer-Encoding: chunked'], '-1\r\n\r\n'),
    outer(['Transfer-Encoding: chunked'], 'fffffffffffffffff\r\n\r\n'),
    outer(['Transfer-Encoding: chunked'], '0\n\n'),
    outer(['Transfer-Encoding: chunked'], '3\r\nabcdef\r\n0\r\n\r\n'),
  ];
  for (const row of rows) {
    const { statuses, closed } = await exchange(service.url, row);
    assert.deepEqual([statuses, closed], [[400], true], row);
  }
  assert.equal(phone.pushes(), 0, 'no phone is woken by what hid behind');
  await assertAlive(service);
});

it('requests that come in one piece are answered in their order', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone({ wakeUpMs: 100 });
  const requests = [
    callOf(phone.account),
    rawRequest('GET', '/healthz'),
    callOf(newAccount()),
    rawRequest('POST', '/api/call-response/', [FORM], 'unique_key=k&message_start_time=1'),
    rawRequest('GET', '/nothing'),
  ];
  const { statuses, text } = await exchange(service.url, requests.join(''), { answers: 5 });
  assert.deepEqual(statuses, [200, 200, 200, 404, 404]);
  assert.ok(text.indexOf('status=ACK') < text.indexOf('"alive"'));
  assert.ok(text.indexOf('"alive"') < text.indexOf('status=NAK'));
});

it('a body that comes byte by byte is read', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone();
  const socket = await openSocket(service.url);
  const reading = readAnswers(socket, { answers: 1 });
  socket.setNoDelay(true);
  for (const byte of Buffer.from(callOf(phone.account))) {
    socket.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  assert.match((await reading).text, /status=ACK$/);
});

it('a PBX that closes even its sending half has hung up', async (t) => {
  const service = await startTestService(t, {
    settings: { APP_PUSH_ROUNDTRIP_WAIT: '60000', APP_PUSH_RESEND_INTERVAL: '100' },
  });
  const phone = await service.phone({ silent: true });
  const socket = await openSocket(service.url);
  const reading = readAnswers(socket);
  socket.write(callOf(phone.account));
  await until(() => phone.pushes() >= 2, 'the phone is pushed again');
  socket.end();
  const { text, closed } = await reading;
  assert.deepEqual([text, closed], ['', true]);
  await until(() => service.running.waiting() === 0, 'its place is free');
  assert.ok(service.logged.some((line) => line.fields['outcome'] === 'caller-gone'));
});

it('a client that goes in the middle of its body leaves nothing behind', async (t) => {
  const service = await startTestService(t, { settings: PATIENT });
  const phone = await service.phone();
  const whole = callOf(phone.account);
  for (const path of ['incoming-call', 'call-response', 'android-device']) {
    for (const end of ['destroy', 'reset', 'half'] as const) {
      const socket = await openSocket(service.url);
      const request = whole
        .replace('incoming-call', path)
        .replace('\r\n\r\n', '\r\nAuthorization: x\r\n\r\n');
      await new Promise((resolve) => socket.write(request.slice(0, -10), resolve));
      socket.resume();
      const closed = once(socket, 'close');
      if (end === 'destroy') socket.destroy();
      else if (end === 'reset') socket.resetAndDestroy();
      else socket.end();
      await closed;
    }
  }
  assert.equal(service.running.waiting(), 0);
  assert.equal(phone.pushes(), 0);
  assert.deepEqual(
    service.logged.filter((line) => line.message.includes('fault of this service')),
    [],
  );
  assert.equal((await service.ask({ account: phone.account })).body, 'status=ACK');
});

it('PBXs that hang up one after the other free their places, and their connections count no more', async (t) => {
  const settings = { ...PATIENT, MAX_WAITING_CALLS: '10', MAX_CONNECTIONS: '100' };
  const service = await startTestService(t, { settings });
  const phone = await service.phone({ silent: true });
  for (let round = 0; round < 15; round += 1) {
    const sockets = await Promise.all(Array.from({ length: 10 }, () => openSocket(service.url)));
    for (const [index, socket] of sockets.entries())
      socket.write(callOf(phone.account, `&call_id=${round}-${index}`));
    await until(() => service.running.waiting() === 10, 'ten calls wait');
    for (const socket of sockets) socket.resetAndDestroy();
    await until(() => service.running.waiting() === 0, 'their places are free');
  }
  for (const why of CLOSED_BECAUSE) {
    assert.equal(await service.metric(`vialer_middleware_connections_closed_total{why="${why}"}`), 0, why);
  }
  assert.equal(await requestsInvalid(service, 'incoming-call'), 0);
});

it('a refused long body is answered before it has come, and the connection ends', async (t) => {
  const service = await startTestService(t);
  const head = rawRequest('POST', '/api/check-in/', [
    'Content-Type: application/json',
    'Content-Length: 10000000',
  ]);
  const told = await exchange(service.url, head);
  assert.deepEqual([told.statuses, told.closed], [[413], true]);
  const chunk = `1000\r\n${'x'.repeat(4096)}\r\n`;
  const chunked = rawRequest('POST', '/api/check-in/', [
    'Content-Type: application/json',
    'Transfer-Encoding: chunked',
  ]);
  const untold = await exchange(service.url, chunked + chunk.repeat(20));
  assert.deepEqual([untold.statuses, untold.closed], [[413], true]);
  await assertAlive(service);
  assert.equal(await requestsInvalid(service, 'check-in'), 2);
});

it('Expect, Upgrade and CONNECT do no harm', async (t) => {
  const service = await startTestService(t);
  const form = 'unique_key=k&message_start_time=1';
  const expecting = rawRequest('POST', '/api/call-response/', [FORM, 'Expect: 100-continue'], form);
  const going = await exchange(service.url, expecting, { answers: 1 });
  assert.match(going.text, /^HTTP\/1\.1 100 Continue\r\n/);
  assert.deepEqual(going.statuses, [404]);
  const odd = rawRequest('POST', '/api/call-response/', [FORM, 'Expect: magic', 'Connection: close'], form);
  assert.match((await exchange(service.url, odd)).text, /^HTTP\/1\.1 417 /);
  const upgrade = rawRequest('GET', '/healthz', ['Connection: Upgrade', 'Upgrade: websocket']);
  assert.deepEqual((await exchange(service.url, upgrade, { answers: 1 })).statuses, [200]);
  const tunnel = await exchange(service.url, rawRequest('CONNECT', 'example.org:443'));
  assert.ok(tunnel.closed && !tunnel.text.includes(' 200 '));
  const proxied = rawRequest('POST', 'http://elsewhere.example/api/call-response/', [FORM], form);
  assert.deepEqual((await exchange(service.url, proxied, { answers: 1 })).statuses, [404]);
  await assertAlive(service);
});

it('an HTTP/1.0 client is answered and let go', async (t) => {
  const service = await startTestService(t);
  const typed = asForm({ sip_user_id: String(newAccount()), phonenumber: '020' });
  const body = String(typed.body);
  const request = `POST /api/incoming-call/ HTTP/1.0\r\n${FORM}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
  const { statuses, text, closed } = await exchange(service.url, request);
  assert.deepEqual([statuses, closed], [[200], true]);
  assert.match(text, /status=NAK$/);
});
