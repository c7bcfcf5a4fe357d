import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PingPace } from '../../src/http2/channel-pace.ts';
import { DEFAULT_TIMINGS } from '../../src/http2/channel-timings.ts';
import { Watchdog } from '../../src/http2/watchdog.ts';
import { margin } from '../helpers/margin.ts';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival } from '../push/helpers/push-server.ts';
import { frame, SETTINGS, SETTINGS_ACK } from '../push/helpers/raw-server.ts';
import { openScene } from '../push/helpers/scene.ts';

describe('an HTTP/2 channel whose connection dies', () => {
  it('answers over a new connection when the peer falls silent under a live one', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin);
    await channel.push('warm');
    relay.muteOpen();
    const started = performance.now();
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => channel.push(`m${i}`)));
    const tookMs = performance.now() - started;
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    // 0.8 s by its timings; the rest is for a machine that does something else.
    assert.ok(tookMs >= 700 && tookMs < 800 + margin(1_200), `${tookMs} ms`);
    assert.deepEqual(
      channel.lost.map(({ cause, inFlight }) => [cause, inFlight]),
      [['ping-timeout', 20]],
    );
    assert.equal(server.connections(), 2);
    await until('the dead connection is let go', () => relay.open() === 1);
  });

  it('finds the peer dead as well when it falls silent later, while a slow answer is awaited', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(relay.origin);
    const reply = channel.push('a', { withinMs: 30_000 });
    await until('PINGs were answered', () => server.pings() >= 2);
    server.handle((arrival) => arrival.respond());
    relay.muteOpen();
    const started = performance.now();
    assert.equal(outcome(await reply), '200');
    assert.ok(performance.now() - started < 3_000);
    assert.equal(server.connections(), 2);
  });

  it('looks once more for an answer that lies unread before it takes the peer for dead', async () => {
    const timings = { ...DEFAULT_TIMINGS, slowAfterMs: 500, pingTimeoutMs: 100 };
    const asked: number[] = [];
    let looks = 0;
    let isDead = false;
    const watchdog = new Watchdog(
      {
        // The look that would be the last sees nothing yet, the next one does.
        bytesRead: () => {
          if (performance.now() - (asked[0] ?? Number.POSITIVE_INFINITY) >= 90) looks += 1;
          return looks > 1 ? 1 : 0;
        },
        openStreams: () => 1,
        ask: (_how, answered) => {
          asked.push(performance.now());
          answered();
        },
        dead: () => {
          isDead = true;
        },
      },
      { timings, pace: new PingPace(), idlePings: false, roundTripMs: 0 },
    );
    watchdog.requestSent();
    await until('it is dead', () => isDead);
    assert.equal(asked.length, 2);
  });

  it('waits for a slow peer that lives, asking it now and then only', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle((arrival) => setTimeout(arrival.respond, 2_000));
    const channel = scene.channel(server.origin);
    assert.equal(outcome(await channel.push('a')), '200');
    assert.equal(server.connections(), 1);
    assert.ok(server.pings() >= 1 && server.pings() <= 4, `${server.pings()} PINGs`);
  });

  it('does not blame the peer for a stall of its own process', async () => {
    await using scene = openScene();
    const server = await scene.server();
    // Through a relay in the same process an answer needs several turns of the event loop.
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin, { timings: { slowAfterMs: 100, pingTimeoutMs: 200 } });
    server.handle((arrival) => setTimeout(arrival.respond, 2_000));
    const reply = channel.push('a');
    await until('it is there', () => server.seen.length === 1);
    const stall = setInterval(() => {
      const end = performance.now() + 150;
      while (performance.now() < end);
    }, 1);
    try {
      assert.equal(outcome(await reply), '200');
    } finally {
      clearInterval(stall);
    }
    assert.deepEqual(channel.lost, []);
    assert.equal(server.connections(), 1);
  });

  it('ends at the deadline while every connection is mute, and recovers when the network heals', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin, { timings: { connectTimeoutMs: 300 } });
    await channel.push('warm');
    relay.muteOpen();
    relay.newConnections('mute');
    const started = performance.now();
    const lost = await channel.push('a', { withinMs: 2_000 });
    assert.ok(performance.now() - started < 3_000);
    assert.equal(outcome(lost), 'unreachable');
    assert.match(channel.failed[0]?.error.message ?? '', /within 300 ms/);
    relay.newConnections('forward');
    assert.equal(outcome(await channel.push('b')), '200');
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      ['warm', 'b'],
    );
  });

  it('ends at the deadline with timeout when the peer is not yet known to be dead', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin, { timings: { slowAfterMs: 5_000 } });
    await channel.push('warm');
    relay.muteOpen();
    assert.equal(outcome(await channel.push('a', { withinMs: 200 })), 'timeout');
  });

  it('sends again over a new connection what a reset interrupted', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin);
    server.handle(() => {});
    const replies = ['a', 'b'].map((body) => channel.push(body));
    await until('both are there', () => server.seen.length === 2);
    server.handle((arrival) => arrival.respond());
    relay.resetOpen();
    assert.deepEqual((await Promise.all(replies)).map(outcome), ['200', '200']);
    assert.deepEqual(
      channel.lost.map(({ cause, inFlight }) => [cause, inFlight]),
      [['reset', 2]],
    );
    assert.match(channel.lost[0]?.detail ?? '', /ECONNRESET/);
    assert.equal(server.connections(), 2);
  });

  it('reports a reset with nothing in flight as what it is', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin);
    channel.warm();
    for (let losses = 1; losses <= 3; losses++) {
      await until('it is connected', () => channel.connected.length === losses);
      relay.resetOpen();
      await until('it is lost', () => channel.lost.length === losses);
      assert.equal(channel.lost.at(-1)?.cause, 'reset');
      assert.match(channel.lost.at(-1)?.detail ?? '', /ECONNRESET/);
    }
    assert.deepEqual(channel.failed, [], 'a loss is no connection that could not be made');
  });

  it('reports what a peer with nothing in flight sent that is no HTTP/2', async () => {
    await using scene = openScene();
    const server = await scene.raw(['h2'], (socket) => {
      socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      // DATA on a stream that was never opened.
      setTimeout(() => socket.write(frame(0, 0, 1)), 50);
    });
    const channel = scene.channel(server.origin, {
      timings: { retryBaseMs: 60_000, retryIdleCapMs: 60_000 },
    });
    channel.warm();
    await until('it is lost', () => channel.lost.length === 1);
    assert.equal(channel.lost[0]?.cause, 'reset');
    assert.match(channel.lost[0]?.detail ?? '', /protocol error/i);
  });

  it('does not take half an answer for a whole one', async () => {
    for (const fault of ['reset', 'mute', 'close'] as const) {
      await using scene = openScene();
      const server = await scene.server();
      const relay = await scene.relay(server.port);
      const channel = scene.channel(relay.origin, { timings: { slowAfterMs: 100 } });
      server.handle(({ stream }) => {
        stream.respond({ ':status': 400 });
        stream.write('{"reason":');
      });
      const reply = channel.push('a', { withinMs: 20_000 });
      await until('half of the answer came', () => server.seen.length === 1);
      await new Promise((resolve) => setTimeout(resolve, 50));
      server.handle((arrival) => arrival.respond());
      if (fault === 'reset') relay.resetOpen();
      else if (fault === 'mute') relay.muteOpen();
      else server.sessions[0]?.destroy();
      const whole = await reply;
      assert.ok(whole.kind === 'answered' && whole.status === 200 && whole.body === 'a', fault);
      assert.equal(server.connections(), 2);
    }
  });

  it('gives up a request under which three connections broke', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle((arrival) => arrival.session.destroy());
    const channel = scene.channel(server.origin);
    assert.equal(outcome(await channel.push('poison', { withinMs: 30_000 })), 'connection-lost');
    assert.equal(server.seen.length, 3);
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('good')), '200');
  });

  it('has a new connection ready when the peer closes an idle one', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    await channel.push('a');
    server.sessions[0]?.destroy();
    await until('it is connected anew', () => channel.connected.length === 2);
    assert.equal(outcome(await channel.push('b')), '200');
    assert.equal(server.connections(), 2);
    assert.equal(channel.lost.length, 1);
  });

  it('asks an idle peer whether it lives, and replaces it when it does not', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin, { timings: { idlePingMs: 60, pingTimeoutMs: 400 } });
    channel.warm();
    await until('three PINGs came', () => server.pings() >= 3);
    assert.equal(server.connections(), 1);
    relay.muteOpen();
    await until('it is connected anew', () => channel.connected.length === 2);
    assert.deepEqual(
      channel.lost.map(({ cause, inFlight }) => [cause, inFlight]),
      [['ping-timeout', 0]],
    );
    assert.equal(server.seen.length, 0);
    assert.equal(outcome(await channel.push('a')), '200');
  });
});
