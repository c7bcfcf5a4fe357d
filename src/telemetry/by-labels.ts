import type { LabelValues } from 'prom-client';

type LabelValue = string | number | undefined;

class Node<V> {
  readonly #children = new Map<LabelValue, Node<V>>();
  /** The one that was asked for last: mostly it is asked for again, and found without hashing its label. */
  #last: Node<V> | undefined;
  readonly #label: LabelValue;
  value: V | undefined;

  constructor(label: LabelValue) {
    this.#label = label;
  }

  child(label: LabelValue): Node<V> {
    if (this.#last !== undefined && this.#last.#label === label) return this.#last;
    this.#last = this.#children.get(label) ?? this.#grow(label);
    return this.#last;
  }

  #grow(label: LabelValue): Node<V> {
    const node = new Node<V>(label);
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
  readonly #root = new Node<V>(undefined);

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
