import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { viewBatch } from '../../bench/calls/call-batch.ts';
import { arrivals, countsFrom } from '../../bench/lib/schedule.ts';
import { delaysOf, median } from '../../bench/lib/statistics.ts';
import { ENDINGS } from '../../bench/load/calls.ts';
import { figureOf } from '../../bench/report/figure.ts';

describe('percentiles', () => {
  it('are values that were measured, by nearest rank', () => {
    const thousand = Float64Array.from({ length: 1_000 }, (_, at) => 1_000 - at);
    assert.deepEqual(delaysOf(thousand), { count: 1_000, p50: 500, p99: 990, p999: 999, max: 1_000 });
    assert.deepEqual(delaysOf(Float64Array.of(7)), { count: 1, p50: 7, p99: 7, p999: 7, max: 7 });
  });

  it('leave out what did not end, and are nothing where nothing did', () => {
    const { NaN: nothing } = Number;
    assert.deepEqual(delaysOf(Float64Array.of(nothing, 3, nothing, 1)), {
      count: 2,
      p50: 1,
      p99: 3,
      p999: 3,
      max: 3,
    });
    assert.deepEqual(delaysOf(new Float64Array()), {
      count: 0,
      p50: nothing,
      p99: nothing,
      p999: nothing,
      max: nothing,
    });
  });

  it('at least half of the values are on either side of the median', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ noNaN: true, min: -1e9, max: 1e9 }), { minLength: 1 }), (values) => {
        const middle = median(values);
        assert.ok(values.filter((value) => value <= middle).length * 2 >= values.length);
        assert.ok(values.filter((value) => value >= middle).length * 2 >= values.length);
      }),
    );
    assert.equal(median([]), Number.NaN);
    assert.equal(median([1, Number.NaN, 2]), 1.5);
  });
});

describe('the schedule of calls', () => {
  it('is the same for the same seed, another one for another, and ascending', () => {
    const plan = { perSecond: 500, seconds: 4 };
    const one = arrivals({ ...plan, seed: 1 });
    assert.deepEqual(arrivals({ ...plan, seed: 1 }), one);
    assert.notDeepEqual(arrivals({ ...plan, seed: 2 }), one);
    assert.deepEqual(one.toSorted(), one);
    assert.ok((one.at(-1) ?? 0) < 4_000);
  });

  it('has as many calls as its rate says, with gaps as calls have that know nothing of each other', () => {
    const times = arrivals({ perSecond: 1_000, seconds: 20, seed: 3 });
    // Four standard deviations of a Poisson distribution of 20,000.
    assert.ok(Math.abs(times.length - 20_000) < 4 * Math.sqrt(20_000), String(times.length));
    const gaps = times.slice(1).map((time, at) => time - (times[at] ?? 0));
    const long = gaps.filter((gap) => gap > 1).length / gaps.length;
    assert.ok(Math.abs(long - Math.exp(-1)) < 0.02, `of the gaps ${long} are longer than the mean`);
  });

  it('what is done late counts from when it was due, but for the grain of the timer', () => {
    assert.equal(countsFrom(100, 100.4), 100.4);
    assert.equal(countsFrom(100, 102), 102);
    assert.equal(countsFrom(100, 350), 102);
  });
});

it('delays are counted from the schedule and only for what was due in the measured time', () => {
  const pbx = {
    due: Float64Array.of(0, 10, 20, 30),
    asked: Float64Array.of(0, 10, 120, 30),
    ended: Float64Array.of(50, 60, 170, Number.NaN),
    endings: Uint8Array.of(ENDINGS.ack, ENDINGS.ack, ENDINGS.nak, ENDINGS.waiting),
  };
  const phone = {
    pushed: Float64Array.of(1, 15, 125, Number.NaN),
    due: Float64Array.of(40, 50, 160, Number.NaN),
    answered: Float64Array.of(41, 50, 161, Number.NaN),
    statuses: new Uint16Array(4),
    pushes: 3,
  };
  const view = viewBatch({ pbx, phone }, 10, 100);
  assert.deepEqual(view.endings, { waiting: 1, ack: 1, nak: 1, refused: 0, broken: 0 });
  assert.equal(view.asked, 3);
  assert.equal(view.ended, 2);
  // The second call 5 ms; the third was asked 100 ms late, of which 2 are the timer's: 125 - 22.
  assert.deepEqual([view.pushDelay.count, view.pushDelay.p50, view.pushDelay.max], [2, 5, 103]);
  // Of the answers only those due at 40 and 50 are looked at: 50 - 41 and 60 - 50.
  assert.deepEqual([view.ackDelay.count, view.ackDelay.p50, view.ackDelay.max], [2, 9, 10]);
  assert.equal(view.lateness.max, 100);
});

describe('a figure', () => {
  const about = { title: 'a title', unit: 'µs' };

  it('is the median of its rounds, and its ratio that of their own ratios', () => {
    const rounds = [
      { value: 30, baseline: 10 },
      { value: 20, baseline: 20 },
      { value: 100, baseline: 50 },
    ];
    const { value, baseline, ratio } = figureOf('a', about, rounds);
    assert.deepEqual([value, baseline, ratio], [30, 20, 2]);
  });

  it('reaches a bound on its value or on its ratio, and none where it was not measured', () => {
    const rounds = [{ value: 15, baseline: 10 }];
    const reached = (target: { of: 'value' | 'ratio'; atMost: number }, pairs = rounds) =>
      figureOf('a', { ...about, target }, pairs).target?.reached;
    assert.equal(reached({ of: 'ratio', atMost: 1.5 }), true);
    assert.equal(reached({ of: 'ratio', atMost: 1.4 }), false);
    assert.equal(reached({ of: 'value', atMost: 15 }), true);
    assert.equal(reached({ of: 'value', atMost: 14 }), false);
    assert.equal(reached({ of: 'value', atMost: 15 }, []), false);
    assert.equal(figureOf('a', about, [{ value: 1, baseline: 0 }]).ratio, Number.NaN);
  });
});
