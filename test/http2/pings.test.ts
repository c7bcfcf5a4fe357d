import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { PingPace } from '../../src/http2/channel-pace.ts';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { PushServer } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';

/** Answers every PING with GOAWAY `too_many_pings`; returns how long after the opening, or the one before, each came. */
function resentPings(server: PushServer): number[] {
  const intervals: number[] = [];
  const known = new Set<unknown>();
  const watch = setInterval(() => {
    for (const session of server.sessions) {
      if (known.has(session)) continue;
      known.add(session);
      let last = performance.now();
      session.on('close', () => known.size === server.sessions.length && clearInterval(watch));
      session.on('ping', () => {
        intervals.push(performance.now() - last);
        last = performance.now();
        server.goaway(session, constants.NGHTTP2_ENHANCE_YOUR_CALM, 2 ** 31 - 1, TOO_MANY);
      });
    }
  }, 1);
  return intervals;
}

const TOO_MANY = Buffer.from('too_many_pings');

describe('an HTTP/2 channel whose peer complains of PINGs', () => {
  it('waits twice as long after each complaint, over all connections', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const intervals = resentPings(server);
    const channel = scene.channel(server.origin, { timings: { idlePingMs: 100 } });
    channel.warm();
    await until('five complaints came', () => channel.lost.length === 5);
    assert.equal(intervals.length, 5);
    for (const [i, interval] of intervals.slice(1).entries()) {
      const before = intervals[i] ?? 0;
      assert.ok(interval > before * 1.6, `${intervals.map(Math.round).join(', ')} ms`);
    }
    assert.equal(outcome(await channel.push('a')), '200');
    assert.match(channel.lost[0]?.detail ?? '', /^code 11: too_many_pings$/);
  });

  it('does not send twice what is in flight then', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { timings: { slowAfterMs: 50 } });
    await channel.push('warm');
    resentPings(server);
    await delay(20);
    server.handle((arrival) => setTimeout(arrival.respond, 800));
    const replies = await Promise.all(['a', 'b'].map((body) => channel.push(body)));
    assert.deepEqual(replies.map(outcome), ['200', '200']);
    assert.deepEqual(
      server.seen.map(({ body, connection }) => [body, connection]),
      [
        ['warm', 1],
        ['a', 1],
        ['b', 1],
      ],
    );
    assert.equal(channel.lost.length, 1);
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('next')), '200');
    assert.equal(server.seen.at(-1)?.connection, 2);
  });

  it('sends again what is in flight then if the peer closes instead of answering', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { timings: { slowAfterMs: 50 } });
    await channel.push('warm');
    server.handle((arrival) => {
      if (arrival.connection === 2) arrival.respond();
    });
    server.sessions[0]?.on('ping', () => {
      server.goaway(server.sessions[0], constants.NGHTTP2_ENHANCE_YOUR_CALM, 2 ** 31 - 1, TOO_MANY);
      setTimeout(() => server.sessions[0]?.destroy(), 20);
    });
    assert.equal(outcome(await channel.push('a')), '200');
  });

  it('does not complain to its other channels of what one of them was told', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const pace = new PingPace();
    const intervals = resentPings(server);
    const first = scene.channel(server.origin, { pace, timings: { idlePingMs: 50 } });
    first.warm();
    await until('two complaints came', () => first.lost.length === 2);
    await first.close();
    const before = intervals.length;
    const second = scene.channel(server.origin, { pace, timings: { idlePingMs: 50 } });
    second.warm();
    await until('it is told too', () => second.lost.length === 1);
    assert.ok((intervals[before] ?? 0) > 150, `${intervals.map(Math.round).join(', ')} ms`);
  });

  it('finds a dead peer all the same', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    const pace = new PingPace();
    pace.tooMany(300_000);
    const channel = scene.channel(relay.origin, { pace });
    await channel.push('warm');
    relay.muteOpen();
    const started = performance.now();
    assert.equal(outcome(await channel.push('a', { withinMs: 8_000 })), '200');
    assert.ok(performance.now() - started < 4_000);
    assert.equal(server.pings(), 0);
    assert.equal(channel.lost[0]?.cause, 'ping-timeout');
  });

  it('leaves a slow peer alone that it must not ping', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const pace = new PingPace();
    pace.tooMany(300_000);
    const channel = scene.channel(server.origin, { pace, timings: { slowAfterMs: 50, pingTimeoutMs: 100 } });
    server.handle((arrival) => setTimeout(arrival.respond, 1_500));
    assert.equal(outcome(await channel.push('a')), '200');
    assert.equal(server.pings(), 0);
    assert.deepEqual(channel.lost, []);
  });

  it('asks for no more than ten minutes between two PINGs', () => {
    const pace = new PingPace();
    for (let i = 0; i < 40; i++) pace.tooMany(Math.max(20_000, pace.gapMs));
    assert.equal(pace.gapMs, 600_000);
  });
});

describe('an HTTP/2 channel to a peer that wants no idle PINGs', () => {
  it('sends none while nothing is in flight, and still asks for a slow answer', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, {
      idlePings: false,
      timings: { idlePingMs: 20, slowAfterMs: 100 },
    });
    await channel.push('a');
    await delay(500);
    assert.equal(server.pings(), 0);
    server.handle((arrival) => setTimeout(arrival.respond, 600));
    assert.equal(outcome(await channel.push('b')), '200');
    assert.ok(server.pings() >= 1);
    assert.equal(server.connections(), 1);
  });
});
