import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { handles, outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival } from '../push/helpers/push-server.ts';
import { frame, SETTINGS, SETTINGS_ACK } from '../push/helpers/raw-server.ts';
import { openScene } from '../push/helpers/scene.ts';

function sockets(): number {
  return handles().filter((kind) => kind === 'TCPSocketWrap').length;
}

const HEADERS = 1;
const GOAWAY = 7;

describe('an HTTP/2 channel whose peer says goodbye', () => {
  it('sends again, over a new connection, only what a graceful GOAWAY left unprocessed', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin);
    channel.warm();
    const replies = ['a', 'b', 'c', 'd'].map((body) => channel.push(body));
    await until('all are there', () => held.length === 4);
    const [a, b] = held;
    assert.ok(a !== undefined && b !== undefined);
    server.handle((arrival) => arrival.respond());
    server.goaway(
      a.session,
      constants.NGHTTP2_NO_ERROR,
      b.stream.id,
      Buffer.from('{"reason":\r\n"Shutdown"}'),
    );
    await until('the channel knows', () => channel.lost.length === 1);
    const late = channel.push('e');
    assert.deepEqual((await Promise.all(replies.slice(2))).map(outcome), ['200', '200']);
    assert.equal(outcome(await late), '200');
    a.respond();
    b.respond();
    assert.deepEqual((await Promise.all(replies.slice(0, 2))).map(outcome), ['200', '200']);
    assert.deepEqual(
      server.seen
        .filter((seen) => seen.connection === 2)
        .map((seen) => seen.body)
        .sort(),
      ['c', 'd', 'e'],
    );
    assert.deepEqual(
      channel.lost.map(({ cause, detail, inFlight }) => ({ cause, detail, inFlight })),
      [{ cause: 'goaway', detail: 'code 0: {"reason":??"Shutdown"}', inFlight: 4 }],
    );
    assert.equal(server.connections(), 2);
  });

  it('takes a GOAWAY in two steps: first a warning, then the last stream', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin);
    const replies = ['a', 'b'].map((body) => channel.push(body));
    await until('both are there', () => held.length === 2);
    const [a] = held;
    assert.ok(a !== undefined);
    server.handle((arrival) => arrival.respond());
    server.goaway(a.session, constants.NGHTTP2_NO_ERROR, 2 ** 31 - 1);
    await until('the new connection is made', () => server.connections() === 2);
    server.goaway(a.session, constants.NGHTTP2_NO_ERROR, a.stream.id);
    assert.equal(outcome((await replies[1]) ?? assert.fail()), '200');
    a.respond();
    assert.equal(outcome((await replies[0]) ?? assert.fail()), '200');
    assert.deepEqual(
      server.seen.map(({ body, connection }) => [body, connection]),
      [
        ['a', 1],
        ['b', 1],
        ['b', 2],
      ],
    );
    assert.equal(channel.lost.length, 1);
  });

  it('sends everything again after a GOAWAY with an error', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin);
    const replies = ['a', 'b', 'c'].map((body) => channel.push(body));
    await until('all are there', () => held.length === 3);
    const [a] = held;
    assert.ok(a !== undefined);
    server.handle((arrival) => arrival.respond());
    server.goaway(
      a.session,
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
      a.stream.id,
      Buffer.from('x'.repeat(5_000)),
    );
    assert.deepEqual((await Promise.all(replies)).map(outcome), ['200', '200', '200']);
    assert.equal(server.connections(), 2);
    assert.equal(channel.lost[0]?.cause, 'goaway');
    assert.match(channel.lost[0]?.detail ?? '', /^code 11: x{100,200}$/);
  });

  it('tries longer what was certainly not processed than what may have been', async () => {
    const tries = { 0: 6, 1: 3 };
    for (const [last, expected] of Object.entries(tries)) {
      await using scene = openScene();
      const server = await scene.raw(['h2'], (socket) => {
        socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
        let received = '';
        socket.on('data', (bytes) => {
          received += bytes.toString('latin1');
          if (!received.includes('needle')) return;
          received = '';
          // GOAWAY with INTERNAL_ERROR.
          socket.write(frame(GOAWAY, 0, 0, Buffer.of(0, 0, 0, Number(last), 0, 0, 0, 2)));
        });
      });
      const channel = scene.channel(server.origin);
      assert.equal(outcome(await channel.push('needle', { withinMs: 30_000 })), 'connection-lost');
      assert.equal(channel.lost.length, expected);
    }
  });

  it('finds a peer dead that falls silent after its GOAWAY', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(relay.origin);
    const reply = channel.push('a', { withinMs: 20_000 });
    await until('it is there', () => held.length === 1);
    server.handle((arrival) => arrival.respond());
    server.goaway(held[0]?.session, constants.NGHTTP2_NO_ERROR, 1);
    await until('the new connection is made', () => channel.connected.length === 2);
    relay.muteOldest();
    const started = performance.now();
    assert.equal(outcome(await reply), '200');
    assert.ok(performance.now() - started < 5_000);
    assert.deepEqual(
      server.seen.map(({ connection }) => connection),
      [1, 2],
    );
  });

  it('leaves a slow answer on a connection that was told to go away alone', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin, { timings: { slowAfterMs: 50, pingTimeoutMs: 300 } });
    const reply = channel.push('a');
    await until('it is there', () => held.length === 1);
    server.goaway(held[0]?.session, constants.NGHTTP2_NO_ERROR, 1);
    setTimeout(() => held[0]?.respond(), 1_200);
    assert.equal(outcome(await reply), '200');
    assert.equal(server.seen.length, 1);
  });

  it('does not keep the socket of a peer that never closes its side', async () => {
    await using scene = openScene();
    const peers: TLSSocket[] = [];
    const server = await scene.raw(
      ['h2'],
      (socket) => {
        peers.push(socket);
        socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      },
      true,
    );
    const channel = scene.channel(server.origin, { timings: { lingerMs: 100 } });
    const reply = channel.push('a');
    await until('it is connected', () => channel.connected.length === 1);
    peers[0]?.write(frame(GOAWAY, 0, 0, Buffer.of(0, 0, 0, 1, 0, 0, 0, 0)));
    await until('it is connected anew', () => channel.connected.length === 2);
    await until('both connections have both ends', () => sockets() === 4);
    // `:status: 200` (RFC 7541, appendix A) with END_HEADERS and END_STREAM, on the first stream.
    peers[0]?.write(frame(HEADERS, 5, 1, Buffer.of(0x88)));
    assert.equal(outcome(await reply), '200');
    await until('the channel has let go of the old one', () => sockets() === 3, handles);
    server.destroyOpen();
  });
});
