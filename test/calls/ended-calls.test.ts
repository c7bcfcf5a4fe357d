import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EndedCalls } from '../../src/calls/ended-calls.ts';

const LIMIT = 100;
const endedFor = (account: number) => ({
  ending: { outcome: 'ready', reason: null } as const,
  account,
  deadline: 1_000,
});

test('the last calls are remembered, whatever their number, and early ones are forgotten', () => {
  const ended = new EndedCalls(LIMIT);
  for (let call = 1; call <= LIMIT * 5; call += 1) {
    ended.remember(`key ${call}`, endedFor(call));
    for (let back = 0; back < Math.min(call, LIMIT); back += 7) {
      assert.equal(ended.find(`key ${call - back}`)?.account, call - back);
    }
    if (call > LIMIT * 2) assert.equal(ended.find(`key ${call - LIMIT * 2}`), undefined);
  }
});

test('the last call of a key is the one that is found', () => {
  const ended = new EndedCalls(LIMIT);
  ended.remember('key', endedFor(1));
  for (let call = 1; call <= LIMIT; call += 1) ended.remember(`other ${call}`, endedFor(call));
  ended.remember('key', endedFor(2));
  assert.equal(ended.find('key')?.account, 2);
  assert.equal(ended.find('never'), undefined);
});
