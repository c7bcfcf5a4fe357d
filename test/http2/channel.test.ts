import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';

describe('an HTTP/2 channel', () => {
  it('carries 500 requests at once over one connection and gives each its own answer', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    const names = Array.from({ length: 500 }, (_, i) => `m${i}`);
    const replies = await Promise.all(names.map((name) => channel.push(name)));
    const answers = replies.map(
      (reply) => reply.kind === 'answered' && [reply.status, reply.body, reply.headers['apns-id']],
    );
    assert.deepEqual(
      answers,
      names.map((name) => [200, name, name]),
    );
    assert.equal(server.seen.length, 500);
    assert.equal(server.connections(), 1);
    assert.equal(channel.connected.length, 1);
  });

  it('sends the method, path, authority, headers and body that were asked for', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    await channel.push('töken', {
      path: '/3/device/a%20b?c',
      headers: { 'apns-id': 'i1', Authorization: 'bearer x' },
    });
    const [seen] = server.seen;
    assert.ok(seen !== undefined);
    assert.equal(seen.body, 'töken');
    assert.deepEqual(
      [':method', ':scheme', ':authority', ':path', 'apns-id', 'authorization'].map(
        (name) => seen.headers[name],
      ),
      ['POST', 'https', server.origin.slice('https://'.length), '/3/device/a%20b?c', 'i1', 'bearer x'],
    );
  });

  it('is connected by warm() before the first request', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    channel.warm();
    channel.warm();
    await until('it is connected', () => channel.connected.length === 1);
    channel.warm();
    assert.equal(outcome(await channel.push('a')), '200');
    assert.equal(server.connections(), 1);
  });

  it('ends a request in flight at its deadline, tells the peer, and uses the freed place', async () => {
    await using scene = openScene();
    const server = await scene.server({ settings: { maxConcurrentStreams: 1 } });
    const codes: number[] = [];
    server.handle(({ stream }) => stream.once('close', () => codes.push(stream.rstCode)));
    const channel = scene.channel(server.origin);
    const started = performance.now();
    assert.equal(outcome(await channel.push('a', { withinMs: 200 })), 'timeout');
    assert.ok(performance.now() - started >= 195);
    await until('the peer knows', () => codes.length === 1);
    assert.deepEqual(codes, [constants.NGHTTP2_CANCEL]);
    server.handle((arrival) => arrival.respond());
    assert.equal(outcome(await channel.push('b')), '200');
    assert.equal(server.connections(), 1);
  });

  it('does not send what is too late or no longer wanted', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { maxInFlight: 1 });
    assert.equal(outcome(await channel.push('unconnected', { withinMs: 0 })), 'unreachable');
    const held: Arrival[] = [];
    server.handle((arrival) => held.push(arrival));
    const first = channel.push('a');
    await until('the first is there', () => held.length === 1);
    assert.equal(outcome(await channel.push('past', { withinMs: -1 })), 'timeout');
    let wanted = true;
    const second = channel.push('b', { wanted: () => wanted });
    const third = channel.push('c');
    wanted = false;
    server.handle((arrival) => arrival.respond());
    held[0]?.respond();
    assert.deepEqual((await Promise.all([first, second, third])).map(outcome), ['200', 'withdrawn', '200']);
    assert.equal(outcome(await channel.push('d', { wanted: () => false })), 'withdrawn');
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      ['a', 'c'],
    );
  });

  it('refuses what HTTP/2 cannot carry and leaves the other requests alone', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    const bad = [
      { headers: { 'apns-id': 'a\r\nx: y' } },
      { headers: { 'apns-id': 'a\0apns-priority\x001' } },
      { headers: { 'apns-id': 'é' } },
      { headers: { 'bad name': 'x' } },
      { headers: { connection: 'close' } },
      { headers: { ':protocol-of-mine': 'x' } },
      { headers: { big: 'x'.repeat(40_000) } },
      { path: '/3/device/a b' },
      { path: '/3/device/a\n' },
      { path: 'https://elsewhere/' },
    ];
    const replies = await Promise.all([
      channel.push('good'),
      ...bad.map((options) => channel.push('bad', options)),
    ]);
    assert.deepEqual(replies.map(outcome), ['200', ...bad.map(() => 'malformed')]);
    assert.equal(outcome(await channel.push('again')), '200');
    assert.deepEqual(
      server.seen.map((seen) => seen.body),
      ['good', 'again'],
    );
    assert.equal(server.connections(), 1);
  });

  it('ends everything as closed, at once, when it is closed', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle(() => {});
    const channel = scene.channel(server.origin, { maxInFlight: 20 });
    const replies = Array.from({ length: 50 }, (_, i) => channel.push(`m${i}`, { withinMs: 60_000 }));
    await until('twenty are in flight', () => server.seen.length === 20);
    const started = performance.now();
    const closing = channel.close();
    assert.ok((await Promise.all(replies)).every((reply) => outcome(reply) === 'closed'));
    await closing;
    assert.ok(performance.now() - started < 2_000);
    assert.equal(outcome(await channel.push('after')), 'closed');
    channel.warm();
    channel.renew();
    await channel.close();
    await until('the server sees it', () => server.open() === 0);
    assert.equal(server.connections(), 1);
    assert.deepEqual(
      channel.lost.map(({ cause, inFlight }) => [cause, inFlight]),
      [['closed', 20]],
    );
  });

  it('takes https origins only', async () => {
    await using scene = openScene();
    assert.throws(() => scene.channel('http://127.0.0.1:1'), /https/);
  });
});
