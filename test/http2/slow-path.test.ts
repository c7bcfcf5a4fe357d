import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import { openScene } from '../push/helpers/scene.ts';

describe('an HTTP/2 channel over a slow path', () => {
  it('connects over a round trip of 1.2 s, though one try takes longer than it waits before the next', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port, 600);
    const channel = scene.channel(relay.origin);
    assert.equal(outcome(await channel.push('a', { withinMs: 8_000 })), '200');
    assert.match(channel.failed[0]?.error.message ?? '', /no HTTP\/2 connection within 1500 ms/);
    assert.equal(channel.connected.length, 1);
    assert.ok((channel.connected[0] ?? 0) > 1_500);
    assert.deepEqual(server.seen.length, 1);
  });

  it('goes on connecting when the call that wanted it is over', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port, 150);
    const channel = scene.channel(relay.origin, { timings: { connectAgainMs: 5_000 } });
    assert.equal(outcome(await channel.push('a', { withinMs: 100 })), 'unreachable');
    await until('it is connected', () => channel.connected.length === 1);
    assert.equal(relay.accepted(), 1);
    assert.equal(outcome(await channel.push('b')), '200');
  });

  it('remembers what the path took when it has to connect again', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port, 100);
    const channel = scene.channel(relay.origin, { timings: { connectAgainMs: 150 } });
    assert.equal(outcome(await channel.push('a')), '200');
    assert.ok(channel.failed.length >= 1);
    const failures = channel.failed.length;
    relay.resetOpen();
    await until('it is connected again', () => channel.connected.length === 2);
    assert.equal(channel.failed.length, failures);
  });

  it('finds a connection that works while another try hangs', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    relay.newConnections('mute');
    const channel = scene.channel(relay.origin, { timings: { connectAgainMs: 100 } });
    const reply = channel.push('a', { withinMs: 8_000 });
    await until('two tries hang', () => relay.accepted() >= 2);
    relay.newConnections('forward');
    assert.equal(outcome(await reply), '200');
    assert.equal(server.connections(), 1);
  });

  it('keeps no more than a few tries hanging', async () => {
    await using scene = openScene();
    const relay = await scene.relay(1);
    relay.newConnections('mute');
    const channel = scene.channel(relay.origin, {
      timings: { connectAgainMs: 50, connectTimeoutMs: 350 },
    });
    let most = 0;
    const reply = channel.push('a', { withinMs: 2_000 });
    const look = setInterval(() => {
      most = Math.max(most, relay.open());
    }, 5);
    try {
      assert.equal(outcome(await reply), 'unreachable');
    } finally {
      clearInterval(look);
    }
    assert.ok(most >= 2 && most <= 5, `${most} at once`);
  });

  it('does not take a round trip longer than its usual patience for death', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port, 150);
    const channel = scene.channel(relay.origin, { timings: { slowAfterMs: 50, pingTimeoutMs: 100 } });
    server.handle((arrival) => setTimeout(arrival.respond, 1_500));
    assert.equal(outcome(await channel.push('a')), '200');
    assert.deepEqual(channel.lost, []);
    assert.equal(server.seen.length, 1);
    assert.ok(server.pings() >= 1);
  });

  it('finds a dead peer on a slow path all the same', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port, 150);
    const channel = scene.channel(relay.origin);
    assert.equal(outcome(await channel.push('a')), '200');
    relay.muteOpen();
    assert.equal(outcome(await channel.push('b', { withinMs: 8_000 })), '200');
    assert.deepEqual(
      channel.lost.map(({ cause }) => cause),
      ['ping-timeout'],
    );
  });
});
