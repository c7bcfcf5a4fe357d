import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { test } from 'node:test';
import { ConnectionBound } from '../../src/http/connection-bound.ts';
import { listenOnLoopback } from '../../src/sandbox/listen-on-loopback.ts';
import { until } from '../helpers/until.ts';

/** Connections without a request that are kept in any case, and more than those. */
const KEPT = 50;
const MANY = 60;

test('a connection that was closed before its request ended is not closed in place of one that is open', async (t) => {
  let closed = 0;
  const bound = new ConnectionBound({ most: 1, onClosed: () => (closed += 1) });
  const server = createServer();
  bound.watch(server);
  const port = await listenOnLoopback(server, 0);
  t.after(() => server.close());
  for (let count = 0; count < MANY; count += 1) {
    const arrived = once(server, 'connection');
    const client = connect(port, '127.0.0.1');
    const [socket]: Socket[] = await arrived;
    assert.ok(socket !== undefined);
    const connection = bound.requestBegins(socket);
    assert.ok(connection !== undefined);
    client.destroy();
    socket.destroy();
    await once(socket, 'close');
    // Over TLS the response learns later than the connection that it is over.
    bound.requestEnds(connection);
  }
  assert.equal(closed, 0);
  const clients = Array.from({ length: MANY }, () => connect(port, '127.0.0.1').on('error', () => {}));
  t.after(() => {
    for (const client of clients) client.destroy();
  });
  await until(() => closed === MANY - KEPT, 'those that are too many are closed');
  await until(() => clients.filter((client) => !client.closed).length === KEPT, 'the others are open');
});
