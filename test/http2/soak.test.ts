import assert from 'node:assert/strict';
import { constants } from 'node:http2';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { margin } from '../helpers/margin.ts';
import { outcome } from '../push/helpers/channel-fixture.ts';
import type { Arrival, PushServer } from '../push/helpers/push-server.ts';
import type { Relay } from '../push/helpers/relay.ts';
import { openScene } from '../push/helpers/scene.ts';

const SEED = 20_261_123;
const REQUESTS = 2_000;

/** Mulberry32: the same numbers for the same seed. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function misbehave(random: () => number, server: PushServer, { stream, session, respond }: Arrival): void {
  const dice = random();
  // The channel may have given the stream up in the moment of its arrival: nothing can be answered on it then.
  if (stream.destroyed || stream.closed || session.destroyed) return;
  if (dice < 0.8) setTimeout(respond, random() * 20);
  else if (dice < 0.85) stream.close(constants.NGHTTP2_REFUSED_STREAM);
  else if (dice < 0.9) stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  else if (dice < 0.92) session.settings({ maxConcurrentStreams: Math.floor(random() * 50) + 1 });
  else if (dice < 0.93 && stream.id !== undefined)
    server.goaway(session, constants.NGHTTP2_NO_ERROR, stream.id);
  else if (dice < 0.935) server.goaway(session, constants.NGHTTP2_INTERNAL_ERROR, 1);
  else if (dice < 0.96) {
    stream.respond({ ':status': 200 });
    stream.write('half');
  }
}

async function breakNetwork(random: () => number, relay: Relay, going: () => boolean): Promise<void> {
  while (going()) {
    await delay(100 + random() * 400);
    const dice = random();
    relay.newConnections(dice < 0.15 ? 'mute' : dice < 0.3 ? 'reset' : 'forward');
    const fate = random();
    if (fate < 0.3) relay.muteOpen();
    else if (fate < 0.5) relay.resetOpen();
  }
}

describe('an HTTP/2 channel under random faults', () => {
  it(`ends each of ${REQUESTS} requests once, by its deadline, and leaves nothing open (seed ${SEED})`, async () => {
    const surprises: unknown[] = [];
    const note = (surprise: unknown): void => {
      surprises.push(surprise);
    };
    process.on('warning', note).on('unhandledRejection', note);
    try {
      await using scene = openScene();
      const random = seeded(SEED);
      const server = await scene.server();
      const relay = await scene.relay(server.port);
      server.handle((arrival) => misbehave(random, server, arrival));
      const channel = scene.channel(relay.origin, {
        maxInFlight: 100,
        maxQueue: 300,
        timings: {
          connectTimeoutMs: 200,
          slowAfterMs: 50,
          pingTimeoutMs: 100,
          stableAfterMs: 50,
          renewEveryMs: 100,
        },
      });
      const outcomes = new Map<string, number>();
      let ended = 0;
      let latest = 0;
      const one = async (i: number): Promise<void> => {
        const withinMs = 50 + random() * 1_500;
        const started = performance.now();
        const reply = await channel.push(`m${i}`, { withinMs, wanted: () => i % 50 !== 0 });
        ended++;
        latest = Math.max(latest, performance.now() - started - withinMs);
        outcomes.set(outcome(reply), (outcomes.get(outcome(reply)) ?? 0) + 1);
        if (reply.kind === 'answered') assert.equal(reply.body, `m${i}`);
        if (random() < 0.01) channel.renew();
      };
      const all: Promise<void>[] = [];
      const network = breakNetwork(random, relay, () => ended < REQUESTS);
      for (let i = 0; i < REQUESTS; i++) {
        all.push(one(i));
        if (i % 20 === 19) await delay(random() * 60);
      }
      await Promise.all([network, ...all]);
      assert.equal(ended, REQUESTS);
      assert.ok(latest < margin(2_000), `${latest} ms past its deadline`);
      // How many are answered depends on the machine; that some are, shows that it recovers in between.
      assert.ok((outcomes.get('200') ?? 0) > REQUESTS / 100, JSON.stringify([...outcomes]));
      relay.newConnections('forward');
      server.handle((arrival) => arrival.respond());
      const afterwards = await channel.push('at last', { withinMs: 20_000 });
      assert.equal(outcome(afterwards), '200');
    } finally {
      process.off('warning', note).off('unhandledRejection', note);
    }
    assert.deepEqual(surprises, []);
  });
});
