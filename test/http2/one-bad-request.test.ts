import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import type { Arrival, PushServer } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';

/** Drops the connection at every request that begins with `poison`; answers the others after a while. */
function dropAtPoison(server: PushServer, answerAfterMs: number): void {
  server.handle(({ body, session, respond }) => {
    if (body.startsWith('poison')) session.destroy();
    else setTimeout(respond, answerAfterMs);
  });
}

function times(count: number, value: string): string[] {
  return Array.from({ length: count }, () => value);
}

describe('an HTTP/2 channel whose peer drops the connection at one request', () => {
  for (const count of [1, 10, 30])
    it(`loses only that one of ${count + 1} sent together`, async () => {
      await using scene = openScene();
      const server = await scene.server();
      dropAtPoison(server, 50);
      const channel = scene.channel(server.origin);
      const others = Array.from({ length: count }, (_, i) => channel.push(`m${i}`, { withinMs: 4_000 }));
      const poison = channel.push('poison', { withinMs: 4_000 });
      assert.deepEqual((await Promise.all(others)).map(outcome), times(count, '200'));
      assert.equal(outcome(await poison), 'connection-lost');
      assert.equal(server.seen.filter(({ body }) => body === 'poison').length, 3);
    });

  it('loses only those of a steady stream, of which it gets one every second', async () => {
    await using scene = openScene();
    const server = await scene.server();
    dropAtPoison(server, 150);
    const channel = scene.channel(server.origin);
    const others: Promise<string>[] = [];
    const bad: Promise<string>[] = [];
    for (let i = 0; i < 80; i++) {
      if (i % 33 === 0) bad.push(channel.push(`poison${i}`, { withinMs: 4_000 }).then(outcome));
      others.push(channel.push(`m${i}`, { withinMs: 4_000 }).then(outcome));
      await delay(30);
    }
    assert.deepEqual(await Promise.all(others), times(80, '200'));
    assert.deepEqual(await Promise.all(bad), times(3, 'connection-lost'));
    assert.ok(server.connections() <= 15, `${server.connections()} connections`);
  });

  it('loses only those of one device, however often it is called', async () => {
    await using scene = openScene();
    const server = await scene.server();
    dropAtPoison(server, 100);
    const channel = scene.channel(server.origin);
    const others: Promise<string>[] = [];
    const bad: Promise<string>[] = [];
    for (let i = 0; i < 40; i++) {
      if (i % 8 === 0) bad.push(channel.push('poison', { withinMs: 2_000 }).then(outcome));
      others.push(channel.push(`m${i}`, { withinMs: 2_000 }).then(outcome));
      await delay(15);
    }
    assert.deepEqual(await Promise.all(others), times(40, '200'));
    for (const reply of await Promise.all(bad)) assert.notEqual(reply, '200');
    const sent = server.seen.filter(({ body }) => body !== 'poison').length;
    assert.ok(sent <= 80, `${sent} requests for 40 pushes`);
  });

  it('sends one device alone only until it is answered', async () => {
    await using scene = openScene();
    const server = await scene.server();
    dropAtPoison(server, 20);
    const channel = scene.channel(server.origin);
    const steady = channel.push('a');
    assert.equal(outcome(await channel.push('poison')), 'connection-lost');
    assert.equal(outcome(await steady), '200');
    server.handle(({ respond }) => setTimeout(respond, 20));
    for (let i = 0; i < 2; i++) assert.equal(outcome(await channel.push('poison')), '200');
  });

  it('sends nothing alone once a peer that dropped every connection is back', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle(({ session }) => session.destroy());
    const channel = scene.channel(server.origin);
    assert.equal(outcome(await channel.push('a')), 'connection-lost');
    const held: (() => void)[] = [];
    server.handle(({ respond }) => {
      if (held.push(respond) === 2) for (const answer of held) answer();
    });
    const made = channel.connected.length;
    const both = await Promise.all([channel.push('b'), channel.push('a')]);
    assert.deepEqual(both.map(outcome), times(2, '200'));
    assert.ok(channel.connected.length <= made + 1, 'one connection carries both');
  });

  it('keeps nothing waiting behind one that is sent alone and not answered', async () => {
    await using scene = openScene();
    const server = await scene.server();
    let drops = 0;
    server.handle(({ body, session, respond }) => {
      if (body !== 'odd') respond();
      else if (++drops <= 2) session.destroy();
    });
    const channel = scene.channel(server.origin);
    const odd = channel.push('odd', { withinMs: 2_500 });
    while (drops < 3) await delay(5);
    assert.equal(outcome(await channel.push('a', { withinMs: 2_000 })), '200');
    assert.equal(outcome(await odd), 'timeout');
  });

  it('does not blame one that was sent alone once others went beside it', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const odd: Arrival[] = [];
    server.handle((arrival) => {
      if (arrival.body !== 'odd') arrival.respond();
      else if (odd.push(arrival) <= 2) arrival.session.destroy();
      else if (odd.length > 3) arrival.respond();
    });
    const channel = scene.channel(server.origin);
    const reply = channel.push('odd', { withinMs: 20_000 });
    await until('it is sent alone', () => odd.length === 3);
    const [, , alone] = odd;
    do assert.equal(outcome(await channel.push('a')), '200');
    while (server.seen.at(-1)?.connection !== alone?.connection);
    alone?.session.destroy();
    assert.equal(outcome(await reply), '200');
  });
});
