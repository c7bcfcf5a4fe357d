import type { BatchedCounter } from './metric-batch.ts';

/** Label sets one counter may have; past it everything new is counted under `other`. */
const MAX_SERIES = 1_000;
/** Characters of one label value. */
const MAX_LENGTH = 64;
const OTHER = 'other';

/**
 * A counter whose labels come from outside (apps report them), so that their number must be bounded here: values are
 * cut, and once the counter has its most label sets a new one is counted with every label `other`.
 */
export class BoundedCounter<L extends string> {
  readonly #counter: BatchedCounter<L>;
  readonly #labels: readonly L[];
  readonly #seen = new Set<string>();

  constructor(counter: BatchedCounter<L>, labels: readonly L[]) {
    this.#counter = counter;
    this.#labels = labels;
  }

  /** Counts one. `valueFor` gives each label's value, of whatever type it came in. */
  count(valueFor: (label: L) => unknown): void {
    const values = this.#labels.map((label) => labelText(valueFor(label)));
    const known = this.#admit(values.join('\u0000'));
    const labels: Partial<Record<L, string>> = {};
    this.#labels.forEach((label, index) => {
      labels[label] = known ? (values[index] ?? OTHER) : OTHER;
    });
    this.#counter.inc(labels);
  }

  #admit(series: string): boolean {
    if (this.#seen.has(series)) return true;
    if (this.#seen.size >= MAX_SERIES) return false;
    this.#seen.add(series);
    return true;
  }
}

/** The reference printed what Python prints: a missing value is the text `None`. */
function labelText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return [...value].slice(0, MAX_LENGTH).join('');
    case 'number':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'None';
    default:
      return value === null ? 'None' : OTHER;
  }
}
