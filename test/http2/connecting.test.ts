import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import { startPushServer } from '../push/helpers/push-server.ts';
import { SETTINGS, SETTINGS_ACK } from '../push/helpers/raw-server.ts';
import { openScene } from '../push/helpers/scene.ts';
import { createAuthority } from '../push/helpers/test-authority.ts';

describe('an HTTP/2 channel that cannot connect', () => {
  it('answers a waiting request once a refusing server comes up', async () => {
    await using scene = openScene();
    const gone = await scene.server();
    await gone.close();
    const channel = scene.channel(gone.origin);
    assert.equal(outcome(await channel.push('early', { withinMs: 150 })), 'unreachable');
    const reply = channel.push('a', { withinMs: 20_000 });
    await until('some tries failed', () => channel.failed.length >= 4);
    assert.match(
      channel.failed[0]?.error.message ?? '',
      /^cannot connect to https:\/\/127\.0\.0\.1:\d+: .*ECONNREFUSED/,
    );
    const server = await scene.server({ port: gone.port });
    assert.equal(outcome(await reply), '200');
    assert.equal(server.connections(), 1);
  });

  it('does not talk to a server whose certificate it cannot trust', async () => {
    await using scene = openScene();
    const foreign = await startPushServer(createAuthority().server);
    try {
      const channel = scene.channel(foreign.origin);
      assert.equal(outcome(await channel.push('a', { withinMs: 200 })), 'unreachable');
      assert.match(channel.failed[0]?.error.message ?? '', /certificate is not trusted.*NODE_EXTRA_CA_CERTS/);
      assert.equal(foreign.seen.length, 0);
    } finally {
      await foreign.close();
    }
  });

  it('says so when the server speaks HTTP/1.1 only', async () => {
    await using scene = openScene();
    for (const protocols of [['http/1.1'], []]) {
      const server = await scene.raw(protocols, (socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
      const channel = scene.channel(server.origin);
      assert.equal(outcome(await channel.push('a', { withinMs: 200 })), 'unreachable');
      assert.match(channel.failed[0]?.error.message ?? '', /ALPN|application protocol/i);
    }
  });

  it('gives up a connection on which TLS or SETTINGS never come, and tries again', async () => {
    await using scene = openScene();
    const server = await scene.raw(['h2'], () => {});
    const relay = await scene.relay(1);
    relay.newConnections('mute');
    for (const origin of [server.origin, relay.origin]) {
      const channel = scene.channel(origin, { timings: { connectTimeoutMs: 100 } });
      assert.equal(outcome(await channel.push('a', { withinMs: 500 })), 'unreachable');
      assert.ok(channel.failed.length >= 2);
      assert.match(channel.failed[0]?.error.message ?? '', /within 100 ms/);
    }
    assert.ok(server.connections() >= 2 && relay.accepted() >= 2);
  });

  it('survives garbage, a GOAWAY and an end instead of SETTINGS', async () => {
    await using scene = openScene();
    const openings = [
      Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'),
      Buffer.alloc(64, 0xff),
      Buffer.from('0000110700000000000000000000000002', 'hex'),
      Buffer.of(),
    ];
    for (const opening of openings) {
      const server = await scene.raw(['h2'], (socket) => socket.end(opening));
      const channel = scene.channel(server.origin);
      assert.equal(outcome(await channel.push('a', { withinMs: 200 })), 'unreachable');
      assert.ok(channel.failed.length >= 1);
    }
  });

  it('connects a bounded number of times when every connection is reset', async () => {
    await using scene = openScene();
    const relay = await scene.relay(1);
    relay.newConnections('reset');
    const channel = scene.channel(relay.origin);
    assert.equal(outcome(await channel.push('a', { withinMs: 1_000 })), 'unreachable');
    assert.ok(relay.accepted() >= 3 && relay.accepted() <= 12, `${relay.accepted()} connections`);
    // With nobody waiting the pauses grow past the 500 ms of a waiting request.
    await until('a long pause', () => (channel.failed.at(-1)?.retryInMs ?? 0) > 500);
  });

  it('connects a bounded number of times when every connection opens and is lost', async () => {
    await using scene = openScene();
    const server = await scene.raw(['h2'], (socket) => {
      socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      setTimeout(() => socket.end(), 5);
    });
    const channel = scene.channel(server.origin, { timings: { stableAfterMs: 60_000 } });
    channel.warm();
    await delay(1_000);
    assert.ok(server.connections() >= 3 && server.connections() <= 12, `${server.connections()} connections`);
  });

  it('does not make a new request sit out a long pause', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    relay.newConnections('reset');
    const channel = scene.channel(relay.origin);
    channel.warm();
    await until('a long pause', () => (channel.failed.at(-1)?.retryInMs ?? 0) > 2_500);
    relay.newConnections('forward');
    const started = performance.now();
    assert.equal(outcome(await channel.push('a', { withinMs: 20_000 })), '200');
    assert.ok(performance.now() - started < 1_800);
  });

  it('shows its client certificate', async () => {
    await using scene = openScene();
    const server = await scene.server({
      requestCert: true,
      rejectUnauthorized: true,
      ca: scene.authority.ca,
    });
    const channel = scene.channel(server.origin, { tls: scene.authority.client });
    assert.equal(outcome(await channel.push('a')), '200');
    assert.deepEqual(server.clientNames, ['push-client']);
    const without = scene.channel(server.origin);
    const reply = outcome(await without.push('a', { withinMs: 300 }));
    assert.ok(reply === 'unreachable' || reply === 'connection-lost', reply);
    assert.equal(server.seen.length, 1);
  });

  it('tells of a client certificate that cannot be read', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { tls: { cert: 'not a certificate', key: 'secret' } });
    assert.equal(outcome(await channel.push('a', { withinMs: 100 })), 'unreachable');
    assert.match(channel.failed[0]?.error.message ?? '', /cannot connect/);
    assert.ok(!channel.failed.some(({ error }) => error.message.includes('secret')));
  });

  it('ends at once when it is closed while it connects or pauses', async () => {
    await using scene = openScene();
    const server = await scene.raw(['h2'], () => {});
    const dialling = scene.channel(server.origin);
    const reply = dialling.push('a', { withinMs: 60_000 });
    await until('it connects', () => server.connections() === 1);
    await dialling.close();
    assert.equal(outcome(await reply), 'closed');
    const relay = await scene.relay(1);
    relay.newConnections('reset');
    const pausing = scene.channel(relay.origin);
    pausing.warm();
    await until('it pauses', () => (pausing.failed.at(-1)?.retryInMs ?? 0) > 200);
    await pausing.close();
    assert.deepEqual(dialling.failed, []);
  });
});
