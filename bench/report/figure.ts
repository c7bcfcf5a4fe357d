import { median } from '../lib/statistics.ts';

/** One measurement beside the one that it is compared with, made directly before or after it. */
export interface Pair {
  readonly value: number;
  readonly baseline: number;
}

/** What a figure is of. */
export interface FigureAbout {
  /** For a person. */
  readonly title: string;
  readonly unit: string;
  /** What the baseline is of; the limit, unless told. */
  readonly against?: 'one instance';
  /** What is to be reached. */
  readonly target?: Target;
}

/** An upper bound on a figure or on its ratio. */
export interface Target {
  readonly of: 'value' | 'ratio';
  readonly atMost: number;
}

/** A figure of the report. */
export interface Figure {
  /** The same in every run: `calls.cpu.sqlite`. */
  readonly name: string;
  readonly title: string;
  readonly unit: string;
  readonly against: 'limit' | 'one instance';
  /** Medians of the rounds. */
  readonly value: number;
  readonly baseline: number;
  /** Median of the rounds' own ratios, value by baseline. */
  readonly ratio: number;
  /** Undefined where nothing is to be reached. */
  readonly target: (Target & { readonly reached: boolean }) | undefined;
  readonly rounds: readonly Pair[];
}

/** Makes a figure of its rounds. */
export function figureOf(name: string, about: FigureAbout, rounds: readonly Pair[]): Figure {
  const { title, unit, against = 'limit', target } = about;
  const value = median(rounds.map((round) => round.value));
  const ratio = median(rounds.map((round) => ratioOf(round)));
  const measured = target?.of === 'value' ? value : ratio;
  return {
    name,
    title,
    unit,
    against,
    value,
    baseline: median(rounds.map(({ baseline }) => baseline)),
    ratio,
    target: target === undefined ? undefined : { ...target, reached: measured <= target.atMost },
    rounds,
  };
}

/** NaN where there is nothing to compare with. */
function ratioOf({ value, baseline }: Pair): number {
  return baseline === 0 ? Number.NaN : value / baseline;
}
