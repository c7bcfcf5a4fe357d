import assert from 'node:assert/strict';
import { it, type TestContext } from 'node:test';
import { LineQueue } from '../../src/telemetry/log.ts';

function scene(t: TestContext) {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const written: (readonly number[])[] = [];
  const queue = new LineQueue<number>((lines) => void written.push([...lines]));
  return { queue, taken: () => written.splice(0), pass: (ms: number) => t.mock.timers.tick(ms) };
}

it('lines wait for each other for a tenth of a second, from the first one on', (t) => {
  const { queue, taken, pass } = scene(t);
  queue.add(1, false);
  pass(99);
  queue.add(2, false);
  assert.deepEqual(taken(), []);
  pass(1);
  assert.deepEqual(taken(), [[1, 2]]);
  pass(1_000);
  assert.deepEqual(taken(), []);
  queue.add(3, false);
  pass(100);
  assert.deepEqual(taken(), [[3]]);
});

it('no more than 200 of them wait', (t) => {
  const { queue, taken, pass } = scene(t);
  const numbers = Array.from({ length: 200 }, (_, index) => index);
  for (const number of numbers.slice(0, 199)) queue.add(number, false);
  pass(50);
  assert.deepEqual(taken(), []);
  queue.add(199, false);
  assert.deepEqual(taken(), [numbers]);
  queue.add(200, false);
  pass(99);
  assert.deepEqual(taken(), [], 'the time of the earlier ones is over');
  pass(1);
  assert.deepEqual(taken(), [[200]]);
});

it('an urgent one goes out at once, after those that wait', (t) => {
  const { queue, taken, pass } = scene(t);
  queue.add(1, false);
  queue.add(2, true);
  assert.deepEqual(taken(), [[1, 2]]);
  pass(1_000);
  queue.flush();
  assert.deepEqual(taken(), [], 'nothing is written of nothing');
  queue.add(3, false);
  queue.flush();
  assert.deepEqual(taken(), [[3]]);
});
