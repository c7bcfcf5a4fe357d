/** Delays in milliseconds as the reports have them; NaN where nothing was measured. */
export interface Delays {
  readonly count: number;
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly max: number;
}

/** The delays of those that ended: NaN marks one that did not. */
export function delaysOf(values: Float64Array): Delays {
  const sorted = values.filter((value) => !Number.isNaN(value)).sort();
  return {
    count: sorted.length,
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    max: quantile(sorted, 1),
  };
}

/**
 * The smallest value that at least the share `q` (above 0, up to 1) of all are not above: "nearest rank", which is always
 * a value that was measured. `sorted` is in ascending order; NaN where it is empty.
 */
function quantile(sorted: ArrayLike<number>, q: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * q) - 1)] ?? Number.NaN;
}

/** The middle value, or the mean of the two in the middle; NaN without values. Those that are NaN do not count. */
export function median(values: readonly number[]): number {
  const sorted = values.filter((value) => !Number.isNaN(value)).toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const upper = sorted[Math.floor(middle)] ?? Number.NaN;
  const lower = sorted[Math.ceil(middle) - 1] ?? Number.NaN;
  return (upper + lower) / 2;
}
