import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { TLSSocket } from 'node:tls';
import { outcome, type TestChannel } from '../push/helpers/channel-fixture.ts';
import { frame, type RawServer, SETTINGS, SETTINGS_ACK } from '../push/helpers/raw-server.ts';
import { openScene, type Scene } from '../push/helpers/scene.ts';

const HEADERS = 1;
const DATA = 0;
const END_HEADERS = 4;
const END_STREAM = 1;
/** `:status: 200` by HPACK's static table (RFC 7541, appendix A). */
const STATUS_200 = Buffer.of(0x88);
function literal(name: string, value: string): Buffer {
  return Buffer.concat([
    Buffer.of(0, name.length),
    Buffer.from(name),
    Buffer.of(value.length),
    Buffer.from(value),
  ]);
}

/** A peer that answers the first request of each connection with the given bytes. */
async function rawPeer(
  scene: Scene,
  answer: (socket: TLSSocket) => void,
): Promise<{ server: RawServer; channel: TestChannel }> {
  const server = await scene.raw(['h2'], (socket) => {
    socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
    let received = '';
    let answered = false;
    socket.on('data', (bytes) => {
      received += bytes.toString('latin1');
      if (answered || !received.includes('needle')) return;
      answered = true;
      answer(socket);
    });
  });
  return { server, channel: scene.channel(server.origin) };
}

describe("an HTTP/2 channel's answers", () => {
  it('have headers with lower-case names, of which one that came twice is one string', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle(({ stream }) => {
      stream.respond({
        ':status': 410,
        'Apns-Id': 'i1',
        'x-two': ['1', '2'],
        ['__proto__']: 'odd',
      });
      stream.end('{"reason":"Unregistered"}');
    });
    const reply = await scene.channel(server.origin).push('a');
    assert.ok(reply.kind === 'answered');
    assert.equal(reply.status, 410);
    assert.equal(reply.body, '{"reason":"Unregistered"}');
    const { 'apns-id': id, 'x-two': two } = reply.headers;
    assert.deepEqual([id, two], ['i1', '1, 2']);
  });

  it('are taken as they come: empty, after 1xx, with trailers, in many pieces', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    server.handle(({ stream }) => stream.respond({ ':status': 200, 'apns-id': 'i' }, { endStream: true }));
    const empty = await channel.push('a');
    assert.ok(empty.kind === 'answered' && empty.body === '' && empty.headers['apns-id'] === 'i');
    server.handle(({ stream }) => {
      stream.additionalHeaders({ ':status': 103 });
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'x-late': '1' }));
      stream.end('body');
    });
    const full = await channel.push('b');
    assert.ok(full.kind === 'answered' && full.status === 200 && full.body === 'body');
    server.handle(({ stream }) => {
      stream.respond({ ':status': 200 });
      const bytes = Buffer.from('päckchen'.repeat(20));
      let sent = 0;
      const timer = setInterval(() => {
        stream.write(bytes.subarray(sent, ++sent));
        if (sent === bytes.length) {
          clearInterval(timer);
          stream.end();
        }
      }, 2);
    });
    const pieces = await channel.push('c');
    assert.ok(pieces.kind === 'answered' && pieces.body === 'päckchen'.repeat(20));
  });

  it('are refused as malformed above 64 KiB, and the connection stays', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    server.handle(({ stream }) => {
      stream.respond({ ':status': 200 });
      stream.end(Buffer.alloc(65_536, 'x'));
    });
    const most = await channel.push('a');
    assert.ok(most.kind === 'answered' && most.body.length === 65_536);
    server.handle(({ stream }) => {
      stream.respond({ ':status': 200 });
      const more = (): void => {
        while (stream.writable && stream.write(Buffer.alloc(16_384, 'x')));
      };
      stream.on('drain', more);
      more();
    });
    assert.equal(outcome(await channel.push('b')), 'malformed');
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('c')), '200');
    assert.equal(server.connections(), 1);
  });

  it('end at the deadline when they only trickle, without harm to the connection', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    server.handle(({ stream }) => {
      stream.respond({ ':status': 200 });
      const timer = setInterval(() => stream.write('x'), 20);
      stream.once('close', () => clearInterval(timer));
    });
    assert.equal(outcome(await channel.push('a', { withinMs: 700 })), 'timeout');
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('b')), '200');
    assert.equal(server.connections(), 1);
  });

  it('with huge headers do no harm to others', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    server.handle(({ stream }) => {
      const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`x-${i}`, 'y'.repeat(100)]));
      stream.respond({ ':status': 200, ...many }, { endStream: true });
    });
    assert.equal(outcome(await channel.push('a')), 'stream-reset');
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('b')), '200');
  });

  it('that break off are a reset, whatever the code says', async () => {
    for (const code of [0, 2, 8]) {
      await using scene = openScene();
      const { server, channel } = await rawPeer(scene, (socket) => {
        socket.write(frame(HEADERS, END_HEADERS, 1, STATUS_200));
        socket.write(frame(DATA, 0, 1, Buffer.from('{')));
        setTimeout(() => socket.write(frame(3, 0, 1, Buffer.of(0, 0, 0, code))), 20);
      });
      // NO_ERROR is how a server says that it needs no more of the request: what came is the answer.
      assert.equal(outcome(await channel.push('needle')), code === 0 ? '200' : 'stream-reset');
      assert.equal(server.connections(), 1);
    }
  });

  it('without a status are no answers', async () => {
    await using scene = openScene();
    const { channel } = await rawPeer(scene, (socket) => {
      socket.write(frame(HEADERS, END_HEADERS | END_STREAM, 1, literal('apns-id', 'x')));
    });
    assert.notEqual(outcome(await channel.push('needle', { withinMs: 2_000 })), '200');
  });

  it('that break the protocol cost the connection, and no more than three of them', async () => {
    const violations = [
      Buffer.from('garbage, garbage, garbage'),
      // PUSH_PROMISE, which our SETTINGS forbid.
      frame(5, END_HEADERS, 1, Buffer.concat([Buffer.of(0, 0, 0, 2), STATUS_200])),
      // HEADERS that HPACK cannot decode.
      frame(HEADERS, END_HEADERS | END_STREAM, 1, Buffer.of(0xff, 0xff, 0xff, 0xff, 0xff, 0xff)),
      // DATA on a stream that was never opened.
      frame(DATA, 0, 99, Buffer.from('x')),
      // A WINDOW_UPDATE of nothing, for the connection.
      frame(8, 0, 0, Buffer.alloc(4)),
    ];
    for (const violation of violations) {
      await using scene = openScene();
      const { server, channel } = await rawPeer(scene, (socket) => socket.write(violation));
      assert.equal(outcome(await channel.push('needle')), 'connection-lost');
      assert.ok(server.connections() >= 3 && server.connections() <= 4);
      assert.ok(channel.lost.every(({ inFlight, detail }) => inFlight <= 1 && /^[ -~]*$/.test(detail)));
    }
  });
});
