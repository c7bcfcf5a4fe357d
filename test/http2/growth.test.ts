import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import type { ChannelReply } from '../../src/http2/channel-types.ts';
import { margin } from '../helpers/margin.ts';
import { outcome, type TestChannel, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';

/** Sends one request every `everyMs`. */
async function pushSteadily(channel: TestChannel, count: number, everyMs: number): Promise<ChannelReply[]> {
  const replies: Promise<ChannelReply>[] = [];
  const started = performance.now();
  for (let i = 0; i < count; i++) {
    await delay(Math.max(0, started + i * everyMs - performance.now()));
    replies.push(channel.push(`m${i}`, { withinMs: 4_000 }));
  }
  return Promise.all(replies);
}

describe('an HTTP/2 channel whose requests wait for a stream', () => {
  it('carries 40 requests a second where the peer allows 8 streams and answers after 600 ms', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 8 } });
    server.handle((arrival) => setTimeout(arrival.respond, 600));
    const channel = scene.channel(server.origin);
    const replies = await pushSteadily(channel, 160, 25);
    assert.deepEqual(
      replies.map(outcome),
      Array.from({ length: 160 }, () => '200'),
    );
    assert.ok(server.connections() >= 3 && server.connections() <= 8, `${server.connections()} connections`);
    assert.equal(server.seen.length, 160);
  });

  it('opens at most eight, one after the other', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const channel = scene.channel(server.origin, { timings: { growAfterMs: 20, stableAfterMs: 100 } });
    const replies = Promise.all(Array.from({ length: 30 }, (_, i) => channel.push(`m${i}`)));
    await until('eight are there', () => held.length === 8);
    await delay(200);
    assert.equal(server.connections(), 8);
    server.handle((arrival) => arrival.respond());
    for (const arrival of held) arrival.respond();
    assert.ok((await replies).every((reply) => outcome(reply) === '200'));
    assert.equal(server.connections(), 8);
    assert.equal(server.seen.length, 30);
  });

  it('does not grow for a burst that one connection carries once its first answer has raised the limit', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    let answered = 0;
    server.handle(({ session, respond }) => {
      setTimeout(
        () => {
          if (++answered === 1) session.settings({ maxConcurrentStreams: 1_000 });
          respond();
        },
        answered === 0 ? 500 : 20,
      );
    });
    const channel = scene.channel(server.origin);
    const replies = await Promise.all(Array.from({ length: 100 }, (_, i) => channel.push(`m${i}`)));
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.equal(server.connections(), 1);
  });

  it('does not grow where its own limit is what they wait for, and keeps to it over all connections', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 4 } });
    server.handle((arrival) => setTimeout(arrival.respond, 60));
    const channel = scene.channel(server.origin, { maxInFlight: 6, timings: { growAfterMs: 10 } });
    const replies = await Promise.all(Array.from({ length: 60 }, (_, i) => channel.push(`m${i}`)));
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.equal(server.connections(), 2);
    assert.equal(server.mostAtOnce(), 6);
  });

  it('grows soon after an outage in which many connections broke', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    server.handle((arrival) => arrival.session.destroy());
    const channel = scene.channel(server.origin, { timings: { growAfterMs: 20, stableAfterMs: 100 } });
    while (server.connections() < 10) await channel.push('lost');
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const replies = Promise.all(Array.from({ length: 3 }, (_, i) => channel.push(`m${i}`)));
    await until('a further connection carries one', () => held.length > 1);
    server.handle((arrival) => arrival.respond());
    for (const arrival of held) arrival.respond();
    assert.ok((await replies).every((reply) => outcome(reply) === '200'));
  });

  it('closes those it no longer needs, and keeps one', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    server.handle((arrival) => setTimeout(arrival.respond, 50));
    const channel = scene.channel(server.origin, { timings: { growAfterMs: 20, spareIdleMs: 100 } });
    await Promise.all(Array.from({ length: 30 }, (_, i) => channel.push(`m${i}`)));
    assert.ok(channel.connected.length >= 2);
    await until('one is left', () => channel.connected.length - channel.lost.length === 1);
    assert.ok(channel.lost.every(({ cause, inFlight }) => cause === 'idle' && inFlight === 0));
    assert.equal(outcome(await channel.push('after')), '200');
    assert.equal(server.seen.at(-1)?.connection, 1);
  });

  it('keeps one beside another while requests come, each answered before the next', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const timings = { growAfterMs: 20, stableAfterMs: 20, spareIdleMs: 1_000 };
    const channel = scene.channel(server.origin, { timings });
    const slow = channel.push('slow', { withinMs: 60_000 });
    await until('it is there', () => held.length === 1);
    server.handle((arrival) => arrival.respond());
    for (const end = performance.now() + 2_500; performance.now() < end; await delay(50))
      assert.equal(outcome(await channel.push('quick')), '200');
    assert.deepEqual(channel.lost, []);
    held[0]?.respond();
    assert.equal(outcome(await slow), '200');
  });

  it('gets by with one where the peer takes no second, and tries that ever more rarely', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 2 } });
    server.handle((arrival) => setTimeout(arrival.respond, 100));
    const relay = await scene.relay(server.port);
    const channel = scene.channel(relay.origin);
    await channel.push('first');
    relay.newConnections('reset');
    const replies = await Promise.all(Array.from({ length: 50 }, (_, i) => channel.push(`m${i}`)));
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.ok(channel.failed.length >= 1 && channel.failed.length <= 10, `${channel.failed.length} tries`);
    assert.deepEqual(channel.lost, []);
  });

  it('sends again over the others what one of several leaves unprocessed, and replaces it', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 2 } });
    server.handle((arrival) => setTimeout(arrival.respond, 100));
    const channel = scene.channel(server.origin, { timings: { growAfterMs: 20 } });
    const replies = pushSteadily(channel, 120, 10);
    await until('there are three', () => server.connections() >= 3);
    server.goaway(server.sessions[1], 0, 1);
    const bad = (await replies).map(outcome).filter((reply) => reply !== '200');
    assert.deepEqual(bad, []);
  });

  it('renews all of them', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    server.handle((arrival) => setTimeout(arrival.respond, 50));
    const channel = scene.channel(server.origin, { timings: { growAfterMs: 20 } });
    await Promise.all(Array.from({ length: 20 }, (_, i) => channel.push(`m${i}`)));
    const before = channel.connected.length;
    assert.ok(before >= 2);
    channel.renew();
    assert.equal(outcome(await channel.push('after')), '200');
    assert.ok((server.seen.at(-1)?.connection ?? 0) > before);
    assert.equal(channel.lost.filter(({ cause }) => cause === 'renewed').length, before);
  });
});

describe('an HTTP/2 channel whose peer takes no streams on an open connection', () => {
  it('connects anew after a second, and sends what waited there', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    await channel.push('first');
    server.sessions[0]?.settings({ maxConcurrentStreams: 0 });
    await new Promise<void>((resolve) => server.sessions[0]?.once('localSettings', () => resolve()));
    const started = performance.now();
    assert.equal(outcome(await channel.push('a', { withinMs: 4_000 })), '200');
    assert.ok(performance.now() - started >= 900);
    assert.equal(server.seen.at(-1)?.connection, 2);
    await until('the first is gone', () => channel.lost.length === 1);
    assert.deepEqual(
      channel.lost.map(({ cause, detail }) => [cause, detail]),
      [['renewed', 'the peer allows no streams']],
    );
  });

  it('does so ever more rarely while that does not help', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 0 } });
    const channel = scene.channel(server.origin, { timings: { stallAfterMs: 100, growAfterMs: 10 } });
    const reply = channel.push('a', { withinMs: 3_000 });
    assert.equal(outcome(await reply), 'timeout');
    // After 100, 200, 400, 800, 800 and 800 ms.
    assert.ok(server.connections() >= 3 && server.connections() <= 7, `${server.connections()} connections`);
    const late = channel.push('b', { withinMs: 4_000 });
    server.sessions.at(-1)?.settings({ maxConcurrentStreams: 3 });
    assert.equal(outcome(await late), '200');
  });

  it('does so as soon as the first time once a connection has helped', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 0 } });
    const channel = scene.channel(server.origin, { timings: { stallAfterMs: 200, growAfterMs: 10 } });
    const first = channel.push('a');
    // After 200, 400 and 800 ms; the next one would come after 1,600 ms.
    await until('there are four', () => server.connections() === 4);
    server.sessions.at(-1)?.settings({ maxConcurrentStreams: 1 });
    assert.equal(outcome(await first), '200');
    server.sessions.at(-1)?.settings({ maxConcurrentStreams: 0 });
    await until('the channel knows', () => server.sessions.at(-1)?.pendingSettingsAck === false);
    const second = channel.push('b', { withinMs: 4_000 });
    const started = performance.now();
    await until('there is another one', () => server.connections() === 5);
    const tookMs = performance.now() - started;
    assert.ok(tookMs >= 190 && tookMs < 200 + margin(200), `${tookMs} ms`);
    server.sessions.at(-1)?.settings({ maxConcurrentStreams: 1 });
    assert.equal(outcome(await second), '200');
  });
});
