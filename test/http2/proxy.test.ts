import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ForwardProxy } from '../../src/lib/proxy-route.ts';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import { openScene, type Scene } from '../push/helpers/scene.ts';
import type { ConnectAsked, ConnectHandler } from '../push/helpers/scripted-proxy.ts';
import { createAuthority } from '../push/helpers/test-authority.ts';

const through: ConnectHandler = ({ tunnel }) => tunnel();
function refusing(head: string): ConnectHandler {
  return ({ socket }) => socket.end(`${head}\r\n\r\nsome words for a browser`);
}

/** The message of the first failed try, with this proxy and a server behind it. */
async function firstFailure(
  scene: Scene,
  proxy: ForwardProxy,
  timings: { readonly connectTimeoutMs?: number } = {},
): Promise<string> {
  const server = await scene.server();
  const channel = scene.channel(server.origin, { proxy, timings });
  const reply = channel.push('a', { withinMs: 5_000 });
  await until('a try failed', () => channel.failed.length > 0);
  await channel.close();
  await reply;
  assert.equal(server.connections(), 0);
  return channel.failed[0]?.error.message ?? '';
}

describe('an HTTP/2 channel through a forward proxy', () => {
  it('asks for a tunnel with Basic credentials, and talks to the server inside it', async () => {
    await using scene = openScene();
    const server = await scene.server({ requestCert: true, ca: scene.authority.ca });
    const proxy = await scene.proxy(through);
    const { cert, key } = scene.authority.client;
    const channel = scene.channel(server.origin, {
      proxy: proxy.address('us%C3%A9r:p%40ss%3Aw%2F'),
      tls: { cert, key },
    });
    const replies = await Promise.all(Array.from({ length: 20 }, (_, i) => channel.push(`a${i}`)));
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.equal(proxy.heads.length, 1);
    const [request = '', ...headers] = (proxy.heads[0] ?? '').split('\r\n');
    const basic = Buffer.from('usér:p@ss:w/').toString('base64');
    assert.equal(request, `CONNECT 127.0.0.1:${server.port} HTTP/1.1`);
    assert.ok(headers.some((line) => line.toLowerCase() === `host: 127.0.0.1:${server.port}`));
    assert.ok(
      headers.some((line) => line.toLowerCase() === `proxy-authorization: basic ${basic}`.toLowerCase()),
    );
    assert.ok(!headers.some((line) => /^connection: *close/i.test(line)));
    assert.deepEqual(server.clientNames, ['push-client']);
  });

  it('reaches an encrypted proxy, and the server through it', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(through, { tls: scene.authority.server });
    const channel = scene.channel(server.origin, { proxy: proxy.address() });
    const replies = await Promise.all(
      Array.from({ length: 50 }, (_, i) => channel.push(`a${i}`.padEnd(4_000, 'x'))),
    );
    assert.ok(replies.every((reply) => outcome(reply) === '200'));
    assert.equal(proxy.accepted(), 1);
    proxy.destroyOpen();
    assert.equal(outcome(await channel.push('again')), '200');
  });

  it('takes every 2xx, whatever its headers, in however many pieces', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(through);
    for (const head of [
      'HTTP/1.0 200 OK',
      'HTTP/1.1 200 \r\nContent-Length: 20',
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked',
      'HTTP/1.1 299 Odd\r\nProxy-Agent: tinyproxy/1.11.1',
      `HTTP/1.1 200 OK\r\nX-Long: ${'a'.repeat(8_000)}`,
    ]) {
      for (const at of [0, 3, 11, head.length]) {
        proxy.handle(({ socket, tunnel }) => {
          socket.write(head.slice(0, at));
          setTimeout(() => tunnel(head.slice(at)), at === 0 ? 0 : 5);
        });
        const channel = scene.channel(server.origin, { proxy: proxy.address() });
        assert.equal(outcome(await channel.push('a')), '200', head);
        assert.deepEqual(channel.failed, [], head);
      }
    }
  });

  it('says which setting to look at when the proxy wants a login or refuses it', async () => {
    await using scene = openScene();
    const asking = 'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="x"';
    const proxy = await scene.proxy(refusing(asking));
    const missing = await firstFailure(scene, proxy.address());
    assert.match(missing, /asks for a user and password \(407.*add them to HTTPS_PROXY/);
    const wrong = await firstFailure(scene, proxy.address('me:hunter2'));
    assert.match(wrong, /refuses the user or password in HTTPS_PROXY \(407/);
    assert.ok(!/hunter2|aHVudGVyMg|bWU6/.test(wrong), wrong);
    proxy.handle(refusing('HTTP/1.1 401 Unauthorized'));
    assert.match(await firstFailure(scene, proxy.address('me:hunter2')), /in HTTPS_PROXY \(401/);
    proxy.handle(refusing('HTTP/1.1 407 No\r\nProxy-Authenticate: Negotiate\r\nProxy-Authenticate: NTLM'));
    assert.match(await firstFailure(scene, proxy.address('me:x')), /not Basic \(407: Negotiate, NTLM\)/);
  });

  it('quotes every other refusal, in a line that is fit for a log', async () => {
    await using scene = openScene();
    const proxy = await scene.proxy(refusing('HTTP/1.1 403 Filtered'));
    assert.match(
      await firstFailure(scene, proxy.address()),
      /refuses a tunnel to 127\.0\.0\.1:\d+: 403 Filtered; allow CONNECT/,
    );
    for (const [head, said] of [
      ['HTTP/1.1 502 Bad Gateway', /: 502 Bad Gateway$/],
      ['HTTP/1.0 302 Found\r\nLocation: http://login.example', /: 302 Found$/],
      [`HTTP/1.1 500 \x1b[31m${'x'.repeat(500)}`, /: 500 \?\[31mx{70,80}$/],
      ['HTTP/1.1 100 Continue', /: 100 Continue$/],
    ] as const) {
      proxy.handle(refusing(head));
      assert.match(await firstFailure(scene, proxy.address()), said);
    }
  });

  it('names the proxy when it is down, closes, sends no HTTP, or an endless head', async () => {
    await using scene = openScene();
    const gone = await scene.proxy(through);
    await gone.close();
    const refused = await firstFailure(scene, gone.address());
    assert.match(
      refused,
      new RegExp(
        `the proxy http://127\\.0\\.0\\.1:${gone.port} \\(HTTPS_PROXY\\) cannot be reached: .*ECONNREFUSED`,
      ),
    );

    const proxy = await scene.proxy(({ socket }) => socket.end());
    assert.match(await firstFailure(scene, proxy.address()), /closed the connection without an answer/);
    proxy.handle(({ socket }) => socket.resetAndDestroy());
    assert.match(await firstFailure(scene, proxy.address()), /ECONNRESET|closed the connection/);
    proxy.handle(({ socket }) => socket.end('220 smtp.example.com ESMTP\r\n'));
    assert.match(await firstFailure(scene, proxy.address()), /not HTTP \(HPE_/);
    proxy.handle(({ socket }) => {
      const more = setInterval(() => socket.write(`X-A: ${'a'.repeat(10_000)}\r\n`), 1);
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.on('close', () => clearInterval(more));
    });
    assert.match(await firstFailure(scene, proxy.address()), /HPE_HEADER_OVERFLOW/);
  });

  it('says so when the scheme of the proxy is the wrong one, or its certificate is not trusted', async () => {
    await using scene = openScene();
    const plain = await scene.proxy(through);
    const encrypted = await scene.proxy(through, { tls: scene.authority.server });
    assert.match(
      await firstFailure(scene, { ...plain.address(), tls: true }, { connectTimeoutMs: 300 }),
      /answered no TLS \(write http:\/\/ if it expects none\) within 300 ms/,
    );
    assert.match(
      await firstFailure(scene, { ...encrypted.address(), tls: false }),
      /not HTTP|closed the connection/,
    );
    const foreign = await scene.proxy(through, { tls: createAuthority().server });
    assert.match(
      await firstFailure(scene, foreign.address()),
      /certificate that is not trusted.*NODE_EXTRA_CA_CERTS/,
    );
  });

  it('gives up a proxy that hangs, and one that dribbles, and tries again', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(({ socket }) => {
      const more = setInterval(() => socket.write('X-A: b\r\n'), 20);
      socket.write('HTTP/1.1 200 OK\r\n');
      socket.on('close', () => clearInterval(more));
    });
    const channel = scene.channel(server.origin, {
      proxy: proxy.address(),
      timings: { connectTimeoutMs: 150 },
    });
    const reply = channel.push('a', { withinMs: 20_000 });
    await until('it dribbled twice', () => channel.failed.length >= 2);
    assert.match(channel.failed[0]?.error.message ?? '', /gave no answer to CONNECT within 150 ms/);
    const hung: ConnectAsked[] = [];
    proxy.handle((asked) => hung.push(asked));
    await until('it hung twice', () => hung.length >= 2);
    assert.equal(proxy.open() <= 2, true);
    proxy.handle(through);
    assert.equal(outcome(await reply), '200');
    await until('one connection is left', () => proxy.open() === 1);
  });

  it('waits for a slow CONNECT as for any part of connecting', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(({ tunnel }) => setTimeout(tunnel, 600));
    const channel = scene.channel(server.origin, { proxy: proxy.address() });
    assert.equal(outcome(await channel.push('a')), '200');
    assert.ok((channel.connected[0] ?? 0) >= 590);
    assert.equal(proxy.accepted(), 1);
  });

  it('takes bytes that come with the answer as the first of the tunnel', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(({ tunnel }) => tunnel('HTTP/1.1 200 OK', 'this is no TLS'));
    const channel = scene.channel(server.origin, { proxy: proxy.address() });
    const reply = channel.push('a');
    await until('a try failed', () => channel.failed.length > 0);
    assert.match(channel.failed[0]?.error.message ?? '', /through the proxy http:.*(SSL|TLS|version)/i);
    proxy.handle(through);
    assert.equal(outcome(await reply), '200');
  });

  it('closes its connection to the proxy when it is closed, whatever the proxy does', async () => {
    for (const onConnect of [() => {}, ({ tunnel }: ConnectAsked) => tunnel()]) {
      await using scene = openScene();
      const server = await scene.raw(['h2'], () => {});
      const proxy = await scene.proxy(onConnect);
      const channel = scene.channel(server.origin, { proxy: proxy.address() });
      const reply = channel.push('a');
      await until('the proxy was asked', () => proxy.heads.length === 1);
      await channel.close();
      assert.equal(outcome(await reply), 'closed');
      await until('no connection is left', () => proxy.open() === 0);
    }
  });

  it('connects through another tunnel when the proxy dies under an open one', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(through);
    const channel = scene.channel(server.origin, { proxy: proxy.address() });
    await channel.push('warm');
    server.handle(() => {});
    const replies = Array.from({ length: 10 }, (_, i) => channel.push(`b${i}`));
    await until('all are on the wire', () => server.seen.length === 11);
    server.handle((arrival) => arrival.respond());
    proxy.destroyOpen();
    for (const reply of await Promise.all(replies)) assert.equal(outcome(reply), '200');
    assert.equal(proxy.accepted(), 2);
  });

  it('finds out about an idle tunnel that the proxy has forgotten, and sends again', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const proxy = await scene.proxy(through);
    const channel = scene.channel(server.origin, { proxy: proxy.address() });
    await channel.push('warm');
    proxy.muteOpen();
    const started = performance.now();
    assert.equal(outcome(await channel.push('a')), '200');
    assert.ok(performance.now() - started < 3_000);
    assert.deepEqual(
      channel.lost.map(({ cause }) => cause),
      ['ping-timeout'],
    );
  });
});
