import { createRandom } from '../../harness/random.ts';

/**
 * When things are to happen, milliseconds from the start, ascending: a Poisson process of `perSecond` over `seconds`, as
 * calls come that know nothing of each other. It depends on nothing but its numbers, least of all on how fast anything is
 * answered; the same seed makes the same times.
 */
export function arrivals(options: {
  readonly perSecond: number;
  readonly seconds: number;
  readonly seed: number;
}): Float64Array {
  const { perSecond, seconds, seed } = options;
  const random = createRandom(seed);
  const times: number[] = [];
  const meanGapMs = 1_000 / perSecond;
  for (let at = gap(random, meanGapMs); at < seconds * 1_000; at += gap(random, meanGapMs)) times.push(at);
  return Float64Array.from(times);
}

/** Exponentially distributed; `1 - random()` is never 0. */
function gap(random: () => number, meanMs: number): number {
  return -Math.log(1 - random()) * meanMs;
}

/**
 * Milliseconds by which a timer of Node may be late on an idle machine: it counts whole milliseconds, and the kernel's
 * sleep is rounded up to the next one.
 */
const TIMER_GRAIN_MS = 2;

/**
 * When a thing counts as begun that was due at `due` and was done at `done`. The grain of the timer is nobody's delay;
 * all beyond it is: a load generator that was held up must not shorten what it measures.
 */
export function countsFrom(due: number, done: number): number {
  return Math.min(done, due + TIMER_GRAIN_MS);
}
