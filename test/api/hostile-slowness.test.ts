import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { openAccess } from '../../src/http/access/account-access.ts';
import { createServer, type ServerDeps } from '../../src/http/server.ts';
import { NO_LIMITS } from '../helpers/no-limits.ts';
import { openSocket, readAnswers } from './raw-socket.ts';

function nothing(): void {}
function never(): never {
  throw new Error('no request of this test gets that far');
}

/** The listener with nothing behind it: requests that never come whole reach nothing. */
function createBareServer(t: TestContext) {
  const events: ServerDeps['events'] = {
    pbxAnswered: nothing,
    connectionClosed: nothing,
    requestRefused: nothing,
    requestInvalid: nothing,
    answerUnproven: nothing,
    requestFailed: nothing,
    storageFailed: nothing,
    platformFailed: nothing,
    deviceRegistered: nothing,
    iosTokenOdd: nothing,
    deviceUnregistered: nothing,
    hangupReported: nothing,
    metricsReported: nothing,
  };
  const devices = { unregister: never, exists: never, checkIn: never };
  const server = createServer({
    pbx: {
      takeCall: never,
      cancelCall: never,
      refusal: () => undefined,
      isDraining: () => false,
      limit: NO_LIMITS.pbx,
      events,
    },
    answers: { answer: never, proof: undefined, limits: NO_LIMITS, events },
    devices: {
      access: openAccess,
      limit: NO_LIMITS.accounts,
      rate: NO_LIMITS.registrations,
      register: never,
      devices,
      events,
    },
    reports: { access: openAccess, limit: NO_LIMITS.accounts, devices, events },
    ops: { readiness: async () => ({ notReady: [], degraded: [] }), openApi: '{}' },
    serves: 'everything',
    trustProxy: undefined,
    maxConnections: 1_000,
    connectionsBeyond: 100,
    keepAliveMs: 72_000,
    isStorageError: () => false,
    events,
  });
  t.after(() => {
    server.server.closeAllConnections();
    return server.close();
  });
  return server;
}

it('a client has 10 s for its headers and 20 s for its request, and may keep its connection 72 s', async (t) => {
  const { server } = createBareServer(t);
  assert.equal(server.headersTimeout, 10_000);
  assert.equal(server.requestTimeout, 20_000);
  assert.equal(server.keepAliveTimeout, 72_000);
  assert.equal(server.timeout, 0, 'a held call is not cut');
});

it('clients that send their headers or body too slowly are told 408 and cut off', async (t) => {
  const fastify = createBareServer(t);
  const { server } = fastify;
  // The limits of the product would make this test last half a minute; what cuts is the same.
  server.headersTimeout = 300;
  server.requestTimeout = 600;
  const url = await fastify.listen({ host: '127.0.0.1', port: 0 });
  const starts = [
    'GET /healthz HTTP/1.1\r\nHost: x\r\n',
    'POST /api/call-response/ HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n{',
    'POST /api/incoming-call/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nfff\r\nab',
  ];
  const readings = starts.map(async (start) => {
    const socket = await openSocket(url);
    const reading = readAnswers(socket, { limitMs: 60_000 });
    socket.write(start);
    const drip = setInterval(() => socket.write('x'), 50);
    socket.once('close', () => clearInterval(drip));
    return reading;
  });
  for (const { statuses, text, closed } of await Promise.all(readings)) {
    assert.ok(closed);
    assert.deepEqual(statuses, [408], text);
  }
});
