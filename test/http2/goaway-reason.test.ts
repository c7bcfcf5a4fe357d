import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PingPace } from '../../src/http2/channel-pace.ts';
import { PendingRequest } from '../../src/http2/channel-pending.ts';
import { DEFAULT_TIMINGS } from '../../src/http2/channel-timings.ts';
import type { ChannelReply } from '../../src/http2/channel-types.ts';
import { Http2Connection } from '../../src/http2/connection.ts';
import { type Dialled, dial } from '../../src/http2/dial.ts';
import { readApnsGoaway } from '../../src/push/services/apns/answers.ts';
import { outcome, until } from '../push/helpers/channel-fixture.ts';
import { frame, SETTINGS, SETTINGS_ACK } from '../push/helpers/raw-server.ts';
import { openScene, type Scene } from '../push/helpers/scene.ts';
import { startStrictServer } from '../push/helpers/strict-server.ts';
import { createAuthority } from '../push/helpers/test-authority.ts';

const NO_ERROR = 0;
const ENHANCE_YOUR_CALM = 11;

function goaway(code: number, last: number, text: string): Buffer {
  const numbers = Buffer.alloc(8);
  numbers.writeUInt32BE(last, 0);
  numbers.writeUInt32BE(code, 4);
  return frame(7, 0, 0, Buffer.concat([numbers, Buffer.from(text)]));
}

function because(reason: string): string {
  return JSON.stringify({ reason });
}
function isAnswer(text: string): boolean {
  return readApnsGoaway(text) !== undefined;
}
function goawayOf(reply: ChannelReply): string | undefined {
  return reply.kind === 'failed' ? reply.goaway : undefined;
}

/** A peer that sends `text` in a GOAWAY, together with its SETTINGS or after the first request. */
function dismissing(scene: Scene, when: 'opening' | 'request', code: number, text: string) {
  return scene.raw(['h2'], (socket) => {
    const bye = goaway(code, 0, text);
    if (when === 'opening') socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK, bye]));
    else {
      socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
      let received = '';
      socket.on('data', (bytes) => {
        received += bytes.toString('latin1');
        if (received.includes('needle')) socket.write(bye);
      });
    }
  });
}

describe('an HTTP/2 channel whose peer says by GOAWAY why it wants no request', () => {
  for (const when of ['opening', 'request'] as const) {
    for (const code of [NO_ERROR, ENHANCE_YOUR_CALM]) {
      it(`ends those in flight and waiting at once (${when}, code ${code})`, async () => {
        await using scene = openScene();
        const text = because('BadCertificateEnvironment');
        const server = await dismissing(scene, when, code, text);
        const channel = scene.channel(server.origin, { isAnswer, maxInFlight: 2 });
        const started = performance.now();
        const replies = await Promise.all(
          ['needle', 'needle too', 'waits', 'waits too'].map((body) =>
            channel.push(body, { withinMs: 8_000 }),
          ),
        );
        assert.ok(performance.now() - started < 2_000);
        assert.deepEqual(
          replies.map(outcome),
          Array.from({ length: 4 }, () => 'dismissed'),
        );
        assert.deepEqual(replies.map(goawayOf), [text, text, text, text]);
        // The next one is asked anew.
        assert.equal(outcome(await channel.push('needle again', { withinMs: 8_000 })), 'dismissed');
        const told = [
          ...channel.failed.map(({ error }) => error.message),
          ...channel.lost.map((lost) => lost.detail),
        ];
        assert.ok(told.every((line) => line.includes('BadCertificateEnvironment')));
      });
    }
  }

  for (const [name, text] of [
    ['long', JSON.stringify({ info: 'x'.repeat(2_000), reason: 'BadCertificate' })],
    ['with blanks and a NUL at its end', ` ${because('BadCertificate')}\n\0`],
  ] as const)
    it(`reads a reason whose debug data is ${name}, and logs it`, async () => {
      await using scene = openScene();
      const server = await dismissing(scene, 'request', NO_ERROR, text);
      const channel = scene.channel(server.origin, { isAnswer });
      const reply = await channel.push('needle', { withinMs: 4_000 });
      assert.equal(outcome(reply), 'dismissed');
      assert.equal(readApnsGoaway(goawayOf(reply) ?? '')?.reason, 'BadCertificate');
      assert.match(channel.lost[0]?.detail ?? '', /BadCertificate/);
      assert.equal(channel.lost[0]?.dismissed, true);
    });

  for (const code of [NO_ERROR, ENHANCE_YOUR_CALM])
    it(`takes the reason as the answer to the only request, also where that counts as processed (code ${code})`, async () => {
      await using scene = openScene();
      const server = await scene.raw(['h2'], (socket) => {
        socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
        let received = '';
        socket.on('data', (bytes) => {
          received += bytes.toString('latin1');
          if (received.includes('needle')) socket.end(goaway(code, 1, because('BadCertificate')));
        });
      });
      const channel = scene.channel(server.origin, { isAnswer });
      const reply = await channel.push('needle', { withinMs: 4_000 });
      assert.equal(outcome(reply), 'dismissed');
      assert.equal(goawayOf(reply), because('BadCertificate'));
      assert.equal(server.connections(), 1);
    });

  it('sends again where the reason is no answer, or there is none', async () => {
    for (const text of [
      because('Shutdown'),
      because('IdleTimeout'),
      because('InternalServerError'),
      '',
      'bye',
      '[1]',
    ]) {
      await using scene = openScene();
      let connections = 0;
      const server = await scene.raw(['h2'], (socket) => {
        const good = ++connections > 2;
        socket.write(Buffer.concat([SETTINGS, SETTINGS_ACK]));
        let received = '';
        socket.on('data', (bytes) => {
          received += bytes.toString('latin1');
          // `:status: 200` (RFC 7541, appendix A) with END_STREAM.
          if (received.includes('needle'))
            socket.write(good ? frame(1, 5, 1, Buffer.of(0x88)) : goaway(0, 0, text));
        });
      });
      const channel = scene.channel(server.origin, { isAnswer });
      assert.equal(outcome(await channel.push('needle')), '200', text);
      assert.equal(server.connections(), 3);
    }
  });

  it('sends again what a connection left unprocessed that had served others', async () => {
    await using scene = openScene();
    const server = await scene.server();
    const channel = scene.channel(server.origin, { isAnswer });
    assert.equal(outcome(await channel.push('a')), '200');
    server.handle((arrival) => {
      if (arrival.connection > 1) arrival.respond();
      else server.goaway(arrival.session, NO_ERROR, 1, Buffer.from(because('BadCertificate')));
    });
    assert.equal(outcome(await channel.push('b')), '200');
    assert.equal(server.connections(), 2);
  });

  it('takes no answer from a peer whose GOAWAYs are none', async () => {
    await using scene = openScene();
    const server = await dismissing(scene, 'request', NO_ERROR, because('BadCertificate'));
    const channel = scene.channel(server.origin);
    assert.equal(outcome(await channel.push('needle', { withinMs: 8_000 })), 'connection-lost');
  });
});

describe("an HTTP/2 channel whose certificate the peer's TLS refuses", () => {
  for (const version of ['tls1_2', 'tls1_3'] as const) {
    it(`ends what waits at once, with the alert's meaning (${version})`, async () => {
      await using scene = openScene();
      await using server = await startStrictServer(scene.authority, createAuthority(), version);
      const channel = scene.channel(server.origin, { tls: scene.authority.client });
      const started = performance.now();
      const replies = await Promise.all(['a', 'b'].map((body) => channel.push(body, { withinMs: 8_000 })));
      assert.ok(performance.now() - started < 3_000);
      assert.deepEqual(replies.map(outcome), ['certificate-unknown-ca', 'certificate-unknown-ca']);
      assert.match(channel.failed[0]?.error.message ?? '', /unknown ca/);
      await channel.close();
    });
  }

  it('ends what is in flight by an alert that comes once the connection is open', async () => {
    await using scene = openScene();
    const server = await scene.server();
    server.handle(() => {});
    const dialled = await new Promise<Dialled>((opened, failed) =>
      dial({ origin: new URL(server.origin), tls: undefined, timeoutMs: 10_000 }, { opened, failed }),
    );
    const owner = { roomChanged() {}, unanswered() {}, refused: () => true, ended() {}, gone() {} };
    const connection = new Http2Connection(
      dialled,
      {
        authority: 'push.example',
        maxInFlight: 1,
        timings: DEFAULT_TIMINGS,
        pace: new PingPace(),
        idlePings: false,
        showsCertificate: true,
      },
      owner,
    );
    const replies: ChannelReply[] = [];
    const wanted = { deadline: Number.POSITIVE_INFINITY, wanted: () => true };
    const request = { path: '/', headers: {}, body: 'a', recipient: 'a', ...wanted };
    connection.send(new PendingRequest(request, (reply) => replies.push(reply)));
    await until('it is there', () => server.seen.length === 1);
    // As Node does at an alert.
    dialled.socket.destroy(Object.assign(new Error('alert'), { code: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' }));
    await until('it has its reply', () => replies.length === 1);
    assert.deepEqual(replies.map(outcome), ['certificate-unknown-ca']);
  });
});
