import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { Socket } from 'node:net';
import { it, type TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { until } from '../../harness/until.ts';
import { createBoundedServer, drainServer } from '../../src/http/listener/bounded-server.ts';
import type { ClosedBecause, ConnectionLimits } from '../../src/http/listener/connection.ts';
import { ConnectionBound } from '../../src/http/listener/connection-bound.ts';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';
import { exchange, openSocket, rawRequest, readAnswers } from '../api/raw-socket.ts';
import { margin } from '../helpers/margin.ts';

/** Connections without a request that are kept in any case, and more than those. */
const KEPT = 50;
const MANY = 60;
/** More than a kernel takes for a client that does not read. */
const LONG = 'x'.repeat(8_000_000);

/** A bounded server of its own; what it closed, by reason. */
async function startBounded(t: TestContext, limits: Partial<ConnectionLimits>, answer: RequestListener) {
  const closed: ClosedBecause[] = [];
  const bound = new ConnectionBound({
    most: 100,
    beyond: 100,
    onClosed: (why) => closed.push(why),
    ...limits,
  });
  const server = createBoundedServer(bound, createServer, {}, (request, response) => {
    bound.requestIsWhole(request.socket);
    answer(request, response);
  });
  const port = await listenOnLoopback(server, 0);
  t.after(() => {
    server.close();
    server.closeAllConnections();
  });
  return { url: `http://127.0.0.1:${port}`, closed, bound, server };
}

async function openMany(t: TestContext, url: string, count: number): Promise<Socket[]> {
  const sockets = await Promise.all(Array.from({ length: count }, () => openSocket(url)));
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  return sockets;
}

const GET = rawRequest('GET', '/');

it('a connection that was closed before its request ended is not closed in place of one that is open', async (t) => {
  let asked = 0;
  const { url, closed, bound } = await startBounded(t, { most: 1, beyond: 0 }, () => (asked += 1));
  for (let count = 1; count <= MANY; count += 1) {
    const client = await openSocket(url);
    client.write(GET);
    await until(() => asked === count, 'its request has come');
    client.destroy();
    await until(() => bound.size === 0, 'it is closed');
  }
  assert.deepEqual(closed, []);
  const clients = await openMany(t, url, MANY);
  for (const client of clients) client.resume();
  await until(() => closed.length === MANY - KEPT, 'those that are too many are closed');
  await until(() => clients.filter((client) => !client.readableEnded).length === KEPT, 'the others are open');
  assert.deepEqual(new Set(closed), new Set(['crowded']));
});

it('a connection beyond the bound that sends its request in time is answered; one that sends none is closed', async (t) => {
  const { url, closed } = await startBounded(t, { most: 1 }, (_request, response) => response.end('yes'));
  const clients = await openMany(t, url, MANY);
  const [first, ...others] = clients;
  assert.ok(first);
  first.write(GET);
  assert.match((await readAnswers(first, { answers: 1 })).text, /yes$/);
  for (const client of others) client.resume();
  await until(() => closed.length === MANY - KEPT - 1, 'those that send nothing are closed');
  assert.deepEqual(new Set(closed), new Set(['idle']));
});

it('of connections that are closed for others, one that has asked is reset, one that never did is closed', async (t) => {
  const { url, closed } = await startBounded(t, { most: 1 }, (_request, response) => response.end('yes'));
  const [asked] = await openMany(t, url, 1);
  assert.ok(asked);
  let read = '';
  const ends: string[] = [];
  asked.on('data', (chunk: Buffer) => (read += chunk)).on('error', () => ends.push('reset'));
  asked.write(GET);
  await until(() => read.endsWith('yes'), 'it has its answer');
  // An answer could still be on its way to it for so long.
  await delay(2_000);
  const others = await openMany(t, url, MANY);
  for (const other of others) other.resume().on('error', () => ends.push('other reset'));
  await until(() => closed.length === MANY + 1 - KEPT, 'those that are too many are closed');
  await until(() => asked.destroyed, 'it knows');
  assert.deepEqual(ends, ['reset']);
});

it('a response that is not read ends its connection; one that is read slowly does not', async (t) => {
  const { url, closed } = await startBounded(t, { stalledMs: 1_000 }, (_request, response) =>
    response.end(LONG),
  );
  const [deaf, slow] = await openMany(t, url, 2);
  assert.ok(deaf && slow);
  let read = 0;
  slow.on('data', (chunk: Buffer) => {
    read += chunk.length;
    slow.pause();
    setTimeout(() => slow.resume(), 5);
  });
  for (const socket of [deaf, slow]) socket.write(GET);
  await until(() => closed.length === 1, 'the one that does not read is closed');
  await until(() => read >= LONG.length, 'the other one has read all');
  assert.deepEqual(closed, ['unread']);
});

it('with too many connections, the ones that do not read make room first', async (t) => {
  const most = 20;
  const { url, closed } = await startBounded(t, { most }, (request, response) =>
    response.end(request.url === '/long' ? LONG : 'yes'),
  );
  const deaf = await openMany(t, url, most);
  for (const socket of deaf) socket.write(rawRequest('GET', '/long'));
  const clients = await openMany(t, url, most);
  let answered = 0;
  for (const client of clients) client.on('data', () => (answered += 1)).write(GET);
  await until(() => answered === most, 'all others are answered');
  await until(() => closed.length === most, 'those that do not read are closed');
  assert.deepEqual(new Set(closed), new Set(['unread']));
});

it('requests sent at once are answered in their order, each started without waiting for those before', async (t) => {
  let handled = 0;
  const { url, closed } = await startBounded(t, {}, (request, response) => {
    handled += 1;
    // The first is answered only when all have come.
    until(() => handled === 16, 'the last has come').then(
      () => response.end(`<${request.url}>`),
      t.diagnostic,
    );
  });
  const urls = Array.from({ length: 16 }, (_, index) => `/${index}`);
  const { text } = await exchange(url, urls.map((path) => rawRequest('GET', path)).join(''), { answers: 16 });
  assert.deepEqual(
    text.match(/<.*?>/g),
    urls.map((path) => `<${path}>`),
  );
  assert.deepEqual(closed, []);
});

it('of more than 16 requests in one piece the first is answered, the next refused, and no other is looked at', async (t) => {
  let handled = 0;
  const { url, closed, bound } = await startBounded(t, {}, (_request, response) => {
    handled += 1;
    setTimeout(() => response.end('yes'), 20);
  });
  for (const [round, count] of [17, 150, 5_000].entries()) {
    const { statuses, closed: ended } = await exchange(url, GET.repeat(count));
    assert.deepEqual([statuses, ended, handled], [[200, 503], true, round + 1]);
  }
  await until(() => bound.size === 0, 'none is open');
  assert.deepEqual(closed, ['pipelined', 'pipelined', 'pipelined']);
});

it('no request is started while the answers before it are not read', async (t) => {
  let handled = 0;
  const { url } = await startBounded(t, {}, (_request, response) => {
    handled += 1;
    response.end(LONG);
  });
  const [deaf, other] = await openMany(t, url, 2);
  assert.ok(deaf && other);
  deaf.write(GET.repeat(16));
  other.resume().write(GET.repeat(4));
  await until(() => other.bytesRead > 4 * LONG.length, 'who reads has all answers');
  assert.equal(handled, 5);
});

it('if a client leaves, each of its requests that was started hears of it', async (t) => {
  let closes = 0;
  let handled = 0;
  const { url, bound } = await startBounded(t, {}, (_request, response) => {
    handled += 1;
    response.on('close', () => (closes += 1));
  });
  for (const count of [10, 17]) {
    const before = handled;
    const socket = await openSocket(url);
    for (let sent = 0; sent < count; sent += 1) {
      socket.write(GET);
      await until(() => handled === before + Math.min(sent + 1, 16), 'it has come');
    }
    socket.destroy();
    await until(() => bound.size === 0, 'it is closed');
    await until(() => closes === handled, 'each hears of it');
  }
  assert.equal(handled, 26);
});

it('a client that does not close after its last answer is cut off in time', async (t) => {
  const { url, bound } = await startBounded(t, { stalledMs: 200 }, (_request, response) => {
    response.writeHead(200, { connection: 'close' }).end('yes');
  });
  const [deaf] = await openMany(t, url, 1);
  assert.ok(deaf);
  deaf.write(GET);
  await until(() => bound.size === 0, 'it is closed');
  assert.match((await readAnswers(deaf)).text, /yes/);
});

it('16 requests at once, again and again, are all answered', async (t) => {
  const { url, closed } = await startBounded(t, {}, (_request, response) => response.end('yes'));
  const socket = await openSocket(url);
  let text = '';
  socket.setEncoding('latin1').on('data', (chunk: string) => (text += chunk));
  for (let round = 1; round <= 10; round += 1) {
    socket.write(GET.repeat(16));
    await until(() => text.split('yes').length === round * 16 + 1, 'sixteen more answers');
  }
  socket.destroy();
  await once(socket, 'close');
  assert.deepEqual(closed, []);
});

it('a server that nobody is connected to stops at once', async (t) => {
  const { bound, server } = await startBounded(t, {}, () => {});
  const began = performance.now();
  await drainServer(server, bound);
  const tookMs = performance.now() - began;
  assert.ok(tookMs < margin(400), `${tookMs} ms`);
  assert.equal(server.listening, false);
});
