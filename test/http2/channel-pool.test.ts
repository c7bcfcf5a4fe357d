import assert from 'node:assert/strict';
import { it } from 'node:test';
import { type ChannelSpec, createChannelPool } from '../../src/http2/channel-pool.ts';
import {
  answered,
  createHandClock,
  createScriptedChannel,
  type ScriptedChannel,
} from '../push/helpers/provider-fixture.ts';

const APPLE = { origin: 'https://apple.example' };

function scene() {
  const clock = createHandClock();
  const made: { readonly spec: ChannelSpec; readonly channel: ScriptedChannel }[] = [];
  const pool = createChannelPool({
    clock,
    createChannel: (spec) => {
      const channel = createScriptedChannel(() => answered(200));
      made.push({ spec, channel });
      return channel;
    },
  });
  return { clock, made, pool };
}

it('leases with the same origin and credential share one channel', () => {
  const { made, pool } = scene();
  const one = pool.lease(APPLE, 'key-a');
  const two = pool.lease(APPLE, 'key-a');
  assert.equal(one.value, two.value);
  assert.equal(made.length, 1);
});

it('another credential or another origin has a channel of its own', () => {
  const { made, pool } = scene();
  const tls = { cert: 'c', key: 'k' };
  pool.lease(APPLE, 'key-a');
  pool.lease({ ...APPLE, tls }, 'certificate-b');
  pool.lease({ origin: 'https://sandbox.example' }, 'key-a');
  assert.deepEqual(
    made.map(({ spec }) => spec),
    [APPLE, { ...APPLE, tls }, { origin: 'https://sandbox.example' }],
  );
});

it('a channel closes with its last lease, and only once', async () => {
  const { made, pool } = scene();
  const one = pool.lease(APPLE, 'key-a');
  const two = pool.lease(APPLE, 'key-a');
  await one.release();
  await one.release();
  assert.equal(made[0]?.channel.counts.closings, 0);
  await two.release();
  assert.equal(made[0]?.channel.counts.closings, 1);
  assert.equal(pool.size(), 0);
  pool.lease(APPLE, 'key-a');
  assert.equal(made.length, 2, 'a later lease makes a new one');
});

it('a burst of bad answers replaces the connection once', async () => {
  const { made, pool, clock } = scene();
  const { value } = pool.lease(APPLE, 'key-a');
  const askedAt = clock.now();
  await clock.advance(50);
  value.renewAfter(askedAt);
  value.renewAfter(askedAt);
  await clock.advance(5_000);
  value.renewAfter(askedAt);
  assert.equal(
    made[0]?.channel.counts.renewals,
    1,
    'answers to requests of before the replacement do not count',
  );
  value.renewAfter(clock.now());
  assert.equal(made[0]?.channel.counts.renewals, 2);
  await clock.advance(999);
  value.renewAfter(clock.now());
  assert.equal(made[0]?.channel.counts.renewals, 2, 'at most once a second');
});
