import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival, PushServer } from '../push/helpers/push-server.ts';
import { frame, SETTINGS, SETTINGS_ACK } from '../push/helpers/raw-server.ts';
import { openScene } from '../push/helpers/scene.ts';

/** Says goodbye with the fifth request of each connection and serves those five, as nginx does with `keepalive_requests 5`. */
function keepFive(server: PushServer, answerAfterMs: number): void {
  const taken = new Map<number, number>();
  server.handle(({ connection, session, stream, respond }) => {
    const count = (taken.get(connection) ?? 0) + 1;
    taken.set(connection, count);
    if (count === 5) server.goaway(session, constants.NGHTTP2_NO_ERROR, stream.id);
    if (count <= 5) setTimeout(respond, answerAfterMs);
  });
}

describe('an HTTP/2 channel whose peer closes connections that did their job', () => {
  it('loses none of 200 requests in bursts of 40 at five a connection and two at once', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 2 } });
    keepFive(server, 10);
    const channel = scene.channel(server.origin);
    for (let burst = 0; burst < 5; burst++) {
      const replies = await Promise.all(
        Array.from({ length: 40 }, (_, i) => channel.push(`m${burst}.${i}`, { withinMs: 4_000 })),
      );
      assert.deepEqual(
        replies.map(outcome),
        Array.from({ length: 40 }, () => '200'),
      );
    }
    assert.deepEqual(channel.failed, []);
    assert.ok(server.connections() >= 40);
  });

  it('does not count against a request that it was passed over by ten such connections', async () => {
    await using scene = openScene();
    const server = await scene.server();
    keepFive(server, 5);
    const channel = scene.channel(server.origin);
    const replies = await Promise.all(
      Array.from({ length: 60 }, (_, i) => channel.push(`m${i}`, { withinMs: 8_000 })),
    );
    assert.deepEqual(
      replies.map(outcome),
      Array.from({ length: 60 }, () => '200'),
    );
    assert.ok(server.connections() >= 10);
  });

  it('connects at once after a close without a GOAWAY, however often that comes', async () => {
    await using scene = openScene();
    // `:status: 200` with END_STREAM, then the end of the connection.
    const server = await scene.raw(['h2'], (socket) => {
      socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      let received = '';
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
        if (received.includes('needle')) socket.end(frame(1, 5, 1, Buffer.of(0x88)));
      });
    });
    const channel = scene.channel(server.origin);
    const started = performance.now();
    for (let i = 0; i < 15; i++) {
      assert.equal(outcome(await channel.push('needle')), '200');
      await until('that connection is over', () => channel.lost.length === i + 1);
    }
    await until('the next one is open', () => channel.connected.length === 16);
    // With pauses as after failures it would be five seconds.
    assert.ok(performance.now() - started < 4_000);
    assert.deepEqual(
      channel.lost.map(({ cause }) => cause),
      channel.lost.map(() => 'closed-by-peer'),
    );
  });

  for (const inFlight of [0, 1])
    it(`connects at once after a GOAWAY of one that had served, with ${inFlight} in flight, although it was hard to make`, async () => {
      await using scene = openScene();
      const server = await scene.server();
      const relay = await scene.relay(server.port);
      relay.newConnections('reset');
      const timings = { retryBaseMs: 60_000, retryIdleCapMs: 60_000, stableAfterMs: 60_000 };
      const channel = scene.channel(relay.origin, { timings });
      channel.warm();
      await until('two tries failed', () => channel.failed.length === 2);
      relay.newConnections('forward');
      assert.equal(outcome(await channel.push('a')), '200');
      const held: Arrival[] = [];
      server.handle((arrival) => held.push(arrival));
      const replies = Array.from({ length: inFlight }, () => channel.push('b'));
      await until('they are there', () => held.length === inFlight);
      server.goaway(server.sessions[0], constants.NGHTTP2_NO_ERROR, held[0]?.stream.id ?? 1);
      await until('the next one is open', () => channel.connected.length === 2);
      for (const arrival of held) arrival.respond();
      for (const reply of replies) assert.equal(outcome(await reply), '200');
    });

  it('backs off from a peer that promises to serve what it took, and closes instead', async () => {
    await using scene = openScene();
    const server = await scene.raw(['h2'], (socket) => {
      socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      let received = '';
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
        // GOAWAY, last stream 1, NO_ERROR.
        if (received.includes('needle')) socket.end(frame(7, 0, 0, Buffer.of(0, 0, 0, 1, 0, 0, 0, 0)));
      });
    });
    const channel = scene.channel(server.origin);
    const end = performance.now() + 2_000;
    const replies: string[] = [];
    const keepAsking = async (): Promise<void> => {
      while (performance.now() < end) replies.push(outcome(await channel.push('needle')));
    };
    await Promise.all([keepAsking(), keepAsking()]);
    assert.ok(
      replies.every((reply) => reply === 'connection-lost'),
      replies.join(),
    );
    assert.ok(server.connections() <= 25, `${server.connections()} connections in 2 s`);
  });

  it('backs off from a peer that says goodbye to every connection before it takes a request', async () => {
    await using scene = openScene();
    const server = await scene.raw(['h2'], (socket) => {
      socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      setTimeout(() => socket.end(frame(7, 0, 0, Buffer.of(0, 0, 0, 0, 0, 0, 0, 0))), 2);
    });
    const channel = scene.channel(server.origin);
    channel.warm();
    await delay(1_000);
    assert.ok(server.connections() >= 3 && server.connections() <= 12, `${server.connections()} connections`);
  });
});
