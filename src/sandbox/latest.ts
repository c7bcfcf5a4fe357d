/** The latest things of a kind, and how many there were in all. */
export interface Latest<T> {
  add(item: T): void;
  /** How many were added since the start. */
  count(): number;
  /** The latest ones, oldest first, at most `keep`. */
  list(): readonly T[];
}

/** Keeps the latest `keep` items; adding costs the same however many it keeps. */
export function createLatest<T>(keep: number): Latest<T> {
  const kept: T[] = [];
  let count = 0;
  return {
    add: (item) => {
      count += 1;
      if (keep === 0) return;
      kept.push(item);
      if (kept.length > keep * 2) kept.splice(0, kept.length - keep);
    },
    count: () => count,
    list: () => (keep === 0 ? [] : kept.slice(-keep)),
  };
}
