import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';

describe('an HTTP/2 channel whose peer refuses streams', () => {
  it('sends a refused stream again', async () => {
    await using scene = openScene();
    const server = await scene.server();
    let refusals = 0;
    server.handle((arrival) => {
      if (++refusals <= 2) arrival.stream.close(constants.NGHTTP2_REFUSED_STREAM);
      else arrival.respond();
    });
    const channel = scene.channel(server.origin);
    assert.equal(outcome(await channel.push('a')), '200');
    assert.equal(server.seen.length, 3);
    assert.ok(server.connections() <= 2);
  });

  it('gives a request up that is refused again and again, without a storm', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle((arrival) => arrival.stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const channel = scene.channel(server.origin);
    const replies = await Promise.all(
      ['a', 'b', 'c'].map((body) => channel.push(body, { withinMs: 30_000 })),
    );
    assert.deepEqual(replies.map(outcome), ['stream-reset', 'stream-reset', 'stream-reset']);
    assert.equal(server.seen.length, 18);
    assert.ok(server.connections() <= 4, `${server.connections()} connections`);
  });

  it('pauses longer each time before it sends again what is refused again', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { timings: { renewEveryMs: 60_000 } });
    await channel.push('first');
    // What a new connection takes is no part of the pauses.
    channel.renew();
    const times = new Map<string, number[]>();
    server.handle(({ body, stream, respond }) => {
      const seen = [...(times.get(body) ?? []), performance.now()];
      times.set(body, seen);
      if (seen.length === 6) respond();
      else stream.close(constants.NGHTTP2_REFUSED_STREAM);
    });
    const names = ['a', 'b', 'c', 'd', 'e'];
    const replies = await Promise.all(names.map((name) => channel.push(name)));
    assert.deepEqual(
      replies.map(outcome),
      names.map(() => '200'),
    );
    const shortestBefore = (arrival: number): number =>
      Math.min(...[...times.values()].map((seen) => (seen[arrival] ?? 0) - (seen[arrival - 1] ?? 0)));
    // 25 to 50 ms, and 200 to 400 ms.
    const pauses = [shortestBefore(2), shortestBefore(5)] as const;
    assert.ok(pauses[0] >= 24 && pauses[0] * 2 < pauses[1], pauses.join());
  });

  it('ends a refused request at its deadline while it pauses', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle((arrival) => arrival.stream.close(constants.NGHTTP2_REFUSED_STREAM));
    const channel = scene.channel(server.origin);
    const reply = outcome(await channel.push('a', { withinMs: 120 }));
    assert.ok(reply === 'timeout' || reply === 'unreachable', reply);
  });

  it('leaves to the sender what the peer resets by itself', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const codes = [
      constants.NGHTTP2_INTERNAL_ERROR,
      constants.NGHTTP2_CANCEL,
      constants.NGHTTP2_NO_ERROR,
      constants.NGHTTP2_ENHANCE_YOUR_CALM,
    ];
    const channel = scene.channel(server.origin);
    for (const code of codes) {
      server.handle((arrival) => arrival.stream.close(code));
      assert.equal(outcome(await channel.push(`code${code}`)), 'stream-reset');
    }
    assert.equal(server.seen.length, 4);
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('b')), '200');
    assert.equal(server.connections(), 1);
  });

  it('renews: what comes next goes over a new connection, what is in flight finishes on the old', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin);
    const old = channel.push('a');
    await until('it is there', () => held.length === 1);
    server.handle((arrival) => arrival.respond());
    channel.renew();
    assert.equal(outcome(await channel.push('b')), '200');
    held[0]?.respond();
    assert.equal(outcome(await old), '200');
    assert.deepEqual(
      server.seen.map(({ body, connection }) => [body, connection]),
      [
        ['a', 1],
        ['b', 2],
      ],
    );
    await until('the old connection is gone', () => server.open() === 1);
    assert.deepEqual(
      channel.lost.map(({ cause, inFlight }) => [cause, inFlight]),
      [['renewed', 1]],
    );
  });

  it('renews at most once in its period, however often it is asked', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    const end = performance.now() + 1_500;
    while (performance.now() < end) {
      await channel.push('a');
      channel.renew();
    }
    assert.ok(server.connections() >= 2 && server.connections() <= 4, `${server.connections()} connections`);
  });
});
