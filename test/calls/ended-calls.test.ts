import assert from 'node:assert/strict';
import { it } from 'node:test';
import { EndedCalls } from '../../src/calls/ended-calls.ts';

const LIMIT = 100;
function endedFor(account: number) {
  return {
    ending: { outcome: 'ready', reason: null } as const,
    account,
    deadline: 1_000,
  };
}

it('the last calls are remembered, whatever their number, and early ones are forgotten', () => {
  const ended = new EndedCalls(LIMIT);
  for (let call = 1; call <= LIMIT * 5; call += 1) {
    ended.remember(`key ${call}`, endedFor(call));
    for (let back = 0; back < Math.min(call, LIMIT); back += 7) {
      assert.equal(ended.find(`key ${call - back}`)?.account, call - back);
    }
    if (call > LIMIT * 2) assert.equal(ended.find(`key ${call - LIMIT * 2}`), undefined);
  }
});

it('the last call of a key is the one that is found', () => {
  const ended = new EndedCalls(LIMIT);
  ended.remember('key', endedFor(1));
  for (let call = 1; call <= LIMIT; call += 1) ended.remember(`other ${call}`, endedFor(call));
  ended.remember('key', endedFor(2));
  assert.equal(ended.find('key')?.account, 2);
  assert.equal(ended.find('never'), undefined);
});

it('a call is remembered for 300 s, however long the process has run and nothing ended', (t) => {
  const clock = { now: 1_000_000 };
  t.mock.method(performance, 'now', () => clock.now);
  const ended = new EndedCalls(LIMIT);
  assert.ok(ended.isEmpty);
  clock.now += 300_001;
  const keys = ['first', 'second', 'third', 'fourth'];
  for (const [account, key] of keys.entries()) ended.remember(key, endedFor(account));
  assert.ok(!ended.isEmpty);
  clock.now += 300_000;
  assert.deepEqual(
    keys.map((key) => ended.find(key)?.account),
    [0, 1, 2, 3],
  );
  clock.now += 1;
  ended.remember('fifth', endedFor(4));
  assert.equal(ended.find('first'), undefined);
  assert.equal(ended.find('fifth')?.account, 4);
  assert.ok(!ended.isEmpty);
});
