import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import Fastify from 'fastify';
import type { AnswerFate } from '../../src/calls/answer-bus.ts';
import { type ClientLimits, createClientLimits } from '../../src/http/access/limits/client-limits.ts';
import { NO_LIMIT } from '../../src/http/access/limits/failure-counter.ts';
import { createLocalFailures } from '../../src/http/access/limits/local-failures.ts';
import { acceptRawBodies } from '../../src/http/listener/raw-body.ts';
import { addAnswerRoutes } from '../../src/http/routes/answer-routes.ts';
import { addressGroup } from '../../src/lib/address-group.ts';
import { asForm } from '../api/http-client.ts';

const MINUTE_MS = 60_000;

function counterOf(limit: number) {
  const clock = { now: 1_000 };
  let forgotten = 0;
  const counter = createLocalFailures({
    limit,
    onForgotten: () => {
      forgotten += 1;
    },
    clock: () => clock.now,
  });
  const fail = (key: string, times: number) => {
    for (let time = 0; time < times; time += 1) counter.failed(key);
  };
  return { clock, counter, fail, forgotten: () => forgotten };
}

describe('failures in a minute', () => {
  it('a key is blocked from its limit to the end of the minute that its first failure began', () => {
    const { clock, counter, fail } = counterOf(3);
    fail('a', 2);
    assert.equal(counter.blockedForMs('a'), 0);
    clock.now += 10_000;
    fail('a', 1);
    assert.equal(counter.blockedForMs('a'), 50_000);
    assert.equal(counter.blockedForMs('b'), 0);
    fail('a', 100);
    clock.now += 49_999;
    assert.equal(counter.blockedForMs('a'), 1);
    clock.now += 1;
    assert.equal(counter.blockedForMs('a'), 0);
    fail('a', 2);
    assert.equal(counter.blockedForMs('a'), 0, 'a new minute counts from nothing');
  });

  it('what others have counted blocks, and never for longer than a minute', () => {
    const { clock, counter, fail } = counterOf(3);
    counter.learn('a', 2, 30_000);
    assert.equal(counter.blockedForMs('a'), 0);
    counter.learn('a', 3, 30_000);
    assert.equal(counter.blockedForMs('a'), 30_000);
    fail('b', 1);
    counter.learn('b', 7, 10 * MINUTE_MS);
    assert.equal(counter.blockedForMs('b'), MINUTE_MS);
    counter.learn('c', 7, -1);
    assert.equal(counter.blockedForMs('c'), 0, 'a span that is over');
    clock.now += 30_000;
    assert.equal(counter.blockedForMs('a'), 0);
  });

  it('the number of keys is bounded: the oldest go, which is told, and those whose minute is over go first', () => {
    const { clock, counter, fail, forgotten } = counterOf(1);
    const fill = (name: string, keys: number) => {
      for (let key = 0; key < keys; key += 1) fail(`${name}${key}`, 1);
    };
    fill('old', 20_000);
    assert.deepEqual([forgotten(), counter.blockedForMs('old0')], [0, MINUTE_MS]);
    fill('more', 2);
    assert.equal(forgotten(), 2);
    assert.deepEqual(
      ['old0', 'old1', 'old2', 'more1'].map((key) => counter.blockedForMs(key) > 0),
      [false, false, true, true],
    );
    clock.now += MINUTE_MS;
    fill('new', 20_000);
    assert.equal(forgotten(), 2);
  });
});

it('an address is counted as one IPv4 address or one IPv6 network of 64 bits', () => {
  const rows = [
    ['192.0.2.7', '192.0.2.7'],
    ['::ffff:192.0.2.7', '192.0.2.7'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2::/64'],
    ['2001:0DB8:0001:0002::1', '2001:db8:1:2::/64'],
    ['2001:db8::1', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['::', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['64:ff9b::192.0.2.7', '64:ff9b:0:0::/64'],
    ['1:2:3:4:5:6:192.0.2.7', '1:2:3:4::/64'],
    ['1:2:3::5:6:7:8', '1:2:3:0::/64'],
    ['::ffff:c000:207', '192.0.2.7'],
    ['0:0:0:0:0:ffff:c000:0207', '192.0.2.7'],
    ['0:0:0:0:0:FFFF:192.0.2.7', '192.0.2.7'],
    ['::ffff:0:1', '0.0.0.1'],
    ['::fffe:c000:207', '0:0:0:0::/64'],
    ['192.0.2.7:51234', '192.0.2.7'],
    ['[2001:db8:1:2::5]:51234', '2001:db8:1:2::/64'],
    ['[2001:db8:1:2::5]', '2001:db8:1:2::/64'],
    ['192.0.2.7:', '192.0.2.7'],
    ['[192.0.2.7]:1', 'unknown'],
    ['unix:', 'unknown'],
    ['', 'unknown'],
  ] as const;
  for (const [address, group] of rows) assert.equal(addressGroup(address), group, address);
});

describe('answers from an address that is over its limit', () => {
  const POST = { method: 'POST', url: '/api/call-response/' } as const;

  async function answering(proves: boolean | undefined) {
    const waiting = new Set<string>();
    let fate: AnswerFate = 'unknown';
    let asked = 0;
    const limits: ClientLimits = createClientLimits({
      answers: createLocalFailures({ limit: 5, onForgotten: () => {}, clock: () => 1_000 }),
      pbx: NO_LIMIT,
      accounts: NO_LIMIT,
      accountAddresses: NO_LIMIT,
      registrations: NO_LIMIT,
    });
    const server = Fastify();
    acceptRawBodies(server);
    addAnswerRoutes(server, {
      answer: async (key) => {
        asked += 1;
        return waiting.delete(key) ? 'taken' : fate;
      },
      limits,
      proof: proves === undefined ? undefined : { proves: () => proves, demanded: true },
      events: { requestInvalid: () => {}, requestRefused: () => {}, answerUnproven: () => {} },
    });
    const post = async (times: number, key = 'guessed') => {
      const statuses: number[] = [];
      const { type, body } = asForm({ unique_key: key, message_start_time: '1' });
      for (let time = 0; time < times; time += 1) {
        const answer = await server.inject({
          ...POST,
          headers: { 'content-type': type ?? '' },
          body: String(body),
        });
        statuses.push(answer.statusCode);
      }
      return statuses;
    };
    return {
      waiting,
      post,
      asked: () => asked,
      say: (next: AnswerFate) => {
        fate = next;
      },
    };
  }

  it('are all looked for: a phone among a thousand guesses of its neighbour is heard', async () => {
    const { waiting, post } = await answering(undefined);
    assert.deepEqual(await post(1_000), [...Array(5).fill(404), ...Array(995).fill(429)]);
    waiting.add('of-a-phone');
    assert.deepEqual(await post(2, 'of-a-phone'), [202, 429]);
  });

  it('are not looked for where their proof is missing', async () => {
    const proven = await answering(true);
    proven.waiting.add('of-a-phone');
    await proven.post(200);
    assert.deepEqual(await proven.post(1, 'of-a-phone'), [202]);
    const unproven = await answering(false);
    assert.deepEqual(await unproven.post(7), [404, 404, 404, 404, 404, 429, 429]);
    assert.equal(unproven.asked(), 0);
  });

  it('are no failures where they were taken, or repeated, or cannot be decided now', async () => {
    const { post, say } = await answering(undefined);
    for (const [fate, status] of [
      ['taken', 202],
      ['duplicate', 202],
      ['undecided', 503],
    ] as const) {
      say(fate);
      assert.deepEqual(new Set(await post(20)), new Set([status]));
    }
    say('late');
    assert.deepEqual(await post(6), [404, 404, 404, 404, 404, 429]);
  });
});
