import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';

describe('the limits of an HTTP/2 channel', () => {
  it('never exceeds its own limit', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { maxInFlight: 7 });
    const replies = await Promise.all(Array.from({ length: 60 }, (_, i) => channel.push(`m${i}`)));
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.equal(server.mostAtOnce(), 7);
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      Array.from({ length: 60 }, (_, i) => `m${i}`),
    );
  });

  it('keeps to a limit of one stream from the first request on, and uses a raised limit at once', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin);
    const replies = Promise.all(Array.from({ length: 10 }, (_, i) => channel.push(`m${i}`)));
    await until('the first is there', () => held.length === 1);
    held[0]?.respond();
    await until('the second is there', () => held.length === 2);
    assert.equal(server.mostAtOnce(), 1);
    server.sessions[0]?.settings({ maxConcurrentStreams: 5 });
    await until('five are there', () => server.mostAtOnce() === 5);
    server.handle((arrival) => arrival.respond());
    for (const arrival of held) arrival.respond();
    assert.ok((await replies).every((reply) => outcome(reply) === '200'));
    assert.equal(server.mostAtOnce(), 5);
    assert.equal(server.connections(), 1);
  });

  it('follows a limit that is lowered live', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    await channel.push('first');
    server.sessions[0]?.settings({ maxConcurrentStreams: 2 });
    const lowered = new Promise<void>((resolve) =>
      server.sessions[0]?.once('localSettings', () => resolve()),
    );
    await lowered;
    const replies = await Promise.all(Array.from({ length: 40 }, (_, i) => channel.push(`m${i}`)));
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.equal(server.mostAtOnce(), 2);
    assert.equal(server.seen.length, 41);
  });

  it('waits while the peer allows no stream at all, and goes on when it does', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 0 } });
    const channel = scene.channel(server.origin);
    channel.warm();
    await until('it is connected', () => channel.connected.length === 1);
    const expired = channel.push('late', { withinMs: 150 });
    const reply = channel.push('a');
    assert.equal(outcome(await expired), 'timeout');
    assert.equal(server.seen.length, 0);
    server.sessions[0]?.settings({ maxConcurrentStreams: 3 });
    assert.equal(outcome(await reply), '200');
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      ['a'],
    );
  });

  it('refuses what does not fit into the queue at once, and serves the rest in order', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin, { maxInFlight: 1, maxQueue: 2 });
    const first = channel.push('a');
    await until('the first is there', () => held.length === 1);
    const [b, c] = [channel.push('b'), channel.push('c')];
    assert.equal(outcome(await channel.push('d')), 'queue-full');
    server.handle((arrival) => arrival.respond());
    held[0]?.respond();
    assert.deepEqual((await Promise.all([first, b, c])).map(outcome), ['200', '200', '200']);
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      ['a', 'b', 'c'],
    );
  });

  it('gives a place in the queue back when a deadline passes in it', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin, { maxInFlight: 1, maxQueue: 3 });
    const first = channel.push('a');
    await until('the first is there', () => held.length === 1);
    const queued = [channel.push('b'), channel.push('c', { withinMs: 60 }), channel.push('d')];
    assert.equal(outcome(await channel.push('x')), 'queue-full');
    assert.equal(outcome((await queued[1]) ?? assert.fail()), 'timeout');
    queued.push(channel.push('e'));
    server.handle((arrival) => arrival.respond());
    held[0]?.respond();
    assert.deepEqual((await Promise.all([first, ...queued])).map(outcome), [
      '200',
      '200',
      'timeout',
      '200',
      '200',
    ]);
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      ['a', 'b', 'd', 'e'],
    );
  });
});
