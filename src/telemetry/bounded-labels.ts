import {
  Counter,
  type LabelValues,
  type MetricObjectWithValues,
  type MetricValue,
  type Registry,
} from 'prom-client';

/** Label sets one counter may have; past it everything new is counted under `other`. */
const MAX_SERIES = 1_000;
/** Characters of one label value. */
const MAX_LENGTH = 64;
/** Control characters, and those that some readers take for the end of a line. */
const CONTROLS = /[\p{Cc}\u2028\u2029]/gu;
const OTHER = 'other';

interface Series<L extends string> {
  readonly labels: LabelValues<L>;
  value: number;
}

/**
 * A counter whose labels come from outside (apps report them), so that their number must be bounded here: values are cut
 * and freed of control characters, and once the counter has 1,000 label sets a new one is counted with every label
 * `other`. It keeps its series itself: prom-client joins labels with `,` and `:`, which values may hold.
 */
export class BoundedCounter<L extends string> extends Counter<L> {
  readonly #labels: readonly L[];
  readonly #series = new Map<string, Series<L>>();
  #other: Series<L> | undefined;

  constructor(registry: Registry, name: string, help: string, labels: readonly L[]) {
    super({ name, help, labelNames: labels, registers: [registry] });
    this.#labels = labels;
  }

  /** Counts one. `valueFor` gives each label's value, of whatever type it came in. */
  count(valueFor: (label: L) => unknown): void {
    const values = this.#labels.map((label) => labelText(valueFor(label)));
    this.#find(values).value += 1;
  }

  override async get(): Promise<MetricObjectWithValues<MetricValue<L>>> {
    const values = [...this.#series.values(), ...(this.#other === undefined ? [] : [this.#other])];
    return { ...(await super.get()), values };
  }

  #find(values: readonly string[]): Series<L> {
    const key = JSON.stringify(values);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (this.#series.size >= MAX_SERIES) {
      this.#other ??= this.#start(values.map(() => OTHER));
      return this.#other;
    }
    const series = this.#start(values);
    this.#series.set(key, series);
    return series;
  }

  #start(values: readonly string[]): Series<L> {
    const labels: LabelValues<L> = {};
    this.#labels.forEach((label, index) => {
      labels[label] = values[index] ?? OTHER;
    });
    return { labels, value: 0 };
  }
}

/** The reference printed what Python prints: a missing value is the text `None`. */
function labelText(value: unknown): string {
  switch (typeof value) {
    case 'string':
      return cut(value).toWellFormed().replace(CONTROLS, '\ufffd');
    case 'number':
    case 'boolean':
      return String(value);
    case 'undefined':
      return 'None';
    default:
      return value === null ? 'None' : OTHER;
  }
}

/** The first characters; a character takes at most two places in a string. */
function cut(text: string): string {
  return text.length <= MAX_LENGTH ? text : [...text.slice(0, 2 * MAX_LENGTH)].slice(0, MAX_LENGTH).join('');
}
