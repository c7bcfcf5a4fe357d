import type { Counter, Histogram, LabelValues } from 'prom-client';

/** A counter that is moved later. */
export interface BatchedCounter<L extends string> {
  inc(labels?: LabelValues<L>): void;
}

/** A histogram that is moved later. */
export interface BatchedHistogram<L extends string> {
  observe(labels: LabelValues<L>, value: number): void;
}

/** Moves that wait at most. */
const MOST = 256;

/**
 * Metrics that are moved many at a time, and before they are read. A call moves nine of them, each of which prom-client finds
 * by a text that it makes of the labels; between the other things that a call needs that takes several times as long as
 * in a row, because the processor has to fetch the code and the tables anew.
 */
export class MetricBatch {
  #moves: (() => void)[] = [];

  counter<L extends string>(counter: Counter<L>): BatchedCounter<L> {
    return { inc: (labels = {}) => this.#add(() => counter.inc(labels)) };
  }

  histogram<L extends string>(histogram: Histogram<L>): BatchedHistogram<L> {
    return { observe: (labels, value) => this.#add(() => histogram.observe(labels, value)) };
  }

  /** To be called before the metrics are read. */
  flush(): void {
    const moves = this.#moves;
    this.#moves = [];
    for (const move of moves) move();
  }

  #add(move: () => void): void {
    this.#moves.push(move);
    if (this.#moves.length >= MOST) this.flush();
  }
}
