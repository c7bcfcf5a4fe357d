import type { LabelValues } from 'prom-client';

type LabelValue = string | number | undefined;

class Node<V> {
  readonly #children = new Map<LabelValue, Node<V>>();
  value: V | undefined;

  child(label: LabelValue): Node<V> {
    const known = this.#children.get(label);
    if (known !== undefined) return known;
    const node = new Node<V>();
    this.#children.set(label, node);
    return node;
  }
}

/**
 * One value for each set of labels. It is found label by label: to make one text of them all, as prom-client does, takes
 * most of the time that it takes to move a metric. Labels have closed or bounded sets of values, and so has this.
 */
export class ByLabels<L extends string, V> {
  readonly #names: readonly L[];
  readonly #make: (labels: LabelValues<L>) => V;
  readonly #root = new Node<V>();

  constructor(names: readonly L[], make: (labels: LabelValues<L>) => V) {
    this.#names = names;
    this.#make = make;
  }

  /** The value of these labels; made now where they are new. */
  get(labels: LabelValues<L>): V {
    let node = this.#root;
    for (const name of this.#names) node = node.child(labels[name]);
    node.value ??= this.#make(labels);
    return node.value;
  }
}
