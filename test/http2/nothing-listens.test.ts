import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { connectFailure } from '../../src/http2/channel-connect-error.ts';
import { margin } from '../helpers/margin.ts';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import { startPushServer } from '../push/helpers/push-server.ts';
import { openScene } from '../push/helpers/scene.ts';
import { createAuthority } from '../push/helpers/test-authority.ts';

async function timed<T>(work: Promise<T>): Promise<readonly [T, number]> {
  const started = performance.now();
  return [await work, performance.now() - started];
}

describe('an HTTP/2 channel that certainly cannot connect', () => {
  it('ends each request within a second where nothing listens: the first ones, and those that come later', async () => {
    await using scene = openScene();
    const gone = await scene.server();
    await gone.close();
    const channel = scene.channel(gone.origin);
    const asked = [channel.push('a'), channel.push('b'), delay(400).then(() => channel.push('c'))];
    for (const [reply, ms] of await Promise.all(asked.map(timed))) {
      assert.equal(outcome(reply), 'connection-refused');
      assert.ok(ms > 700 && ms < 900 + margin(1_000), `${ms} ms`);
    }
    // Nobody waits for a while, so that its tries grow rare.
    await delay(1_500);
    const [late, lateMs] = await timed(channel.push('late'));
    assert.equal(outcome(late), 'connection-refused');
    assert.ok(lateMs < 500 + margin(1_000), `${lateMs} ms`);
  });

  it('gives a peer that restarts most of a second', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin);
    await channel.push('a');
    await server.close();
    await until('it is refused', () => channel.failed.length >= 1);
    const replies = ['b', 'c'].map((body) => channel.push(body));
    await delay(200);
    const back = await scene.server({ port: server.port });
    assert.deepEqual((await Promise.all(replies)).map(outcome), ['200', '200']);
    assert.equal(back.connections(), 1);
  });

  it('counts from the loss for a request that was in flight before it', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle(() => {});
    const channel = scene.channel(server.origin);
    const reply = channel.push('a', { withinMs: 8_000 });
    await until('it is there', () => server.seen.length === 1);
    await delay(1_000);
    await server.close();
    await until('it is refused', () => channel.failed.length >= 1);
    const back = await scene.server({ port: server.port });
    assert.equal(outcome(await reply), '200');
    assert.equal(back.seen.length, 1);
  });

  it('does the same where the peer is not trusted, speaks no TLS or no HTTP/2', async () => {
    await using scene = openScene();
    const foreign = await startPushServer(createAuthority().server);
    const plain = await scene.raw(['http/1.1'], () => {});
    const silent = await scene.relay(1);
    try {
      for (const [origin, reason] of [
        [foreign.origin, 'tls-failed'],
        [plain.origin, /^(tls-failed|not-http2)$/],
      ] as const) {
        const [reply, ms] = await timed(scene.channel(origin).push('a'));
        assert.match(outcome(reply), new RegExp(reason));
        assert.ok(ms < 900 + margin(1_000), `${ms} ms`);
      }
    } finally {
      await foreign.close();
      await silent.close();
    }
  });

  it('says so of a host that does not exist', async () => {
    await using scene = openScene();
    const channel = scene.channel('https://no-such-host.invalid');
    const [reply, ms] = await timed(channel.push('a', { withinMs: 4_000 }));
    // A name server that cannot be asked says less, and may be back soon.
    assert.match(outcome(reply), /^(host-not-found|unreachable)$/);
    if (outcome(reply) === 'host-not-found') assert.ok(ms < 900 + margin(1_000), `${ms} ms`);
  });

  it('waits for a peer whose connections are reset: that may pass', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const relay = await scene.relay(server.port);
    relay.newConnections('reset');
    const channel = scene.channel(relay.origin);
    const reply = channel.push('a');
    await delay(1_500);
    relay.newConnections('forward');
    assert.equal(outcome(await reply), '200');
  });

  it('knows which errors are certain', () => {
    const of = (code: string, shows = false) =>
      connectFailure(Object.assign(new Error('x'), { code }), shows);
    assert.deepEqual(of('ECONNREFUSED'), { certain: 'connection-refused' });
    assert.deepEqual(of('EHOSTUNREACH'), { certain: 'no-route' });
    assert.deepEqual(of('ENETUNREACH'), { certain: 'no-route' });
    assert.deepEqual(of('ENOTFOUND'), { certain: 'host-not-found' });
    assert.deepEqual(of('CERT_HAS_EXPIRED'), { certain: 'tls-failed' });
    assert.deepEqual(of('ERR_TLS_CERT_ALTNAME_INVALID'), { certain: 'tls-failed' });
    assert.deepEqual(of('ERR_SSL_WRONG_VERSION_NUMBER'), { certain: 'tls-failed' });
    assert.deepEqual(of('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED'), { certain: 'tls-failed' });
    assert.deepEqual(of('ERR_SSL_SSLV3_ALERT_CERTIFICATE_EXPIRED', true), {
      certificate: 'certificate-expired',
    });
    for (const passing of ['ECONNRESET', 'ETIMEDOUT', 'EAI_AGAIN', 'EPIPE'])
      assert.deepEqual(of(passing), {});
  });
});
