import type { Counter, Histogram, LabelValues } from 'prom-client';
import { ByLabels } from './by-labels.ts';

/** A counter that is moved later. */
export interface BatchedCounter<L extends string> {
  inc(labels?: LabelValues<L>): void;
  /** Shows a label set as 0 before its first event, so that `increase()` sees that one. */
  start(labels: LabelValues<L>): void;
}

/** A histogram that is moved later. */
export interface BatchedHistogram<L extends string> {
  observe(labels: LabelValues<L>, value: number): void;
  /** Shows a label set without observations before its first one. */
  start(labels: LabelValues<L>): void;
}

/** Observations of one set of labels that wait at most. */
const MOST = 256;

/**
 * Metrics that are moved before they are read, and not one by one. A call moves nine of them, between the other things that
 * it needs: there each takes several times as long as in a row, because the processor has to fetch code and tables anew.
 */
export class MetricBatch {
  readonly #moves: (() => void)[] = [];

  /** `names` are the counter's own. */
  counter<L extends string>(counter: Counter<L>, names: readonly L[]): BatchedCounter<L> {
    const counts = new ByLabels(names, (labels) => {
      const one = { count: 0 };
      this.#moves.push(() => {
        const { count } = one;
        one.count = 0;
        if (count > 0) counter.inc(labels, count);
      });
      return one;
    });
    return {
      inc: (labels = {}) => {
        counts.get(labels).count += 1;
      },
      start: (labels) => counter.inc(labels, 0),
    };
  }

  /** `names` are the histogram's own. */
  histogram<L extends string>(histogram: Histogram<L>, names: readonly L[]): BatchedHistogram<L> {
    const seen = new ByLabels(names, (labels) => {
      const one: { values: number[]; move(): void } = {
        values: [],
        move: () => {
          const { values } = one;
          one.values = [];
          for (const value of values) histogram.observe(labels, value);
        },
      };
      this.#moves.push(one.move);
      return one;
    });
    return {
      observe: (labels, value) => {
        const one = seen.get(labels);
        one.values.push(value);
        if (one.values.length >= MOST) one.move();
      },
      start: (labels) => {
        if (names.length > 0) histogram.zero(labels);
      },
    };
  }

  /** To be called before the metrics are read. */
  flush(): void {
    for (const move of this.#moves) move();
  }
}
