import type { KnownTest } from './known-test.ts';
import type { Mutant } from './mutant.ts';

/** The share of what a test runs that must at least be expected of processes nobody saw into. */
const UNSEEN_SHARE = 0.001;

/** The tests that run the mutant's text, the most promising first: those that are short and run little else. */
export function testsFor(mutant: Mutant, tests: readonly KnownTest[]): readonly KnownTest[] {
  return tests
    .filter((test) => test.passes && (test.runsUnseen || runs(test, mutant)))
    .map((test) => ({ test, promise: shareOf(mutant.file, test) / test.seconds }))
    .sort((one, other) => other.promise - one.promise)
    .map(({ test }) => test);
}

function runs({ reach }: KnownTest, { file, start }: Mutant): boolean {
  return (reach[file] ?? []).some(([from, to]) => from <= start && start < to);
}

function shareOf(file: string, { reach }: KnownTest): number {
  const own = lengthOf(reach[file] ?? []);
  const all = Object.values(reach).reduce((sum, intervals) => sum + lengthOf(intervals), 0);
  return Math.max(UNSEEN_SHARE, all === 0 ? 0 : own / all);
}

function lengthOf(intervals: readonly (readonly [number, number])[]): number {
  return intervals.reduce((sum, [from, to]) => sum + to - from, 0);
}
