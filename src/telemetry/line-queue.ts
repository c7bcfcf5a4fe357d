/** How many lines wait for each other at most, and for how long. */
const MOST = 200;
const LONGEST_MS = 100;

/**
 * Lines are made and written many at a time. One by itself costs several times as much: the processor has to fetch the code
 * for it anew between the other things that a call needs, and each write wakes a thread.
 */
export class LineQueue<Line> {
  readonly #writeAll: (lines: readonly Line[]) => void;
  #lines: Line[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(writeAll: (lines: readonly Line[]) => void) {
    this.#writeAll = writeAll;
  }

  /** `urgent`: it is written now, behind those that wait. */
  add(line: Line, urgent: boolean): void {
    this.#lines.push(line);
    if (urgent || this.#lines.length >= MOST) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), LONGEST_MS).unref();
  }

  /** Writes what waits. */
  flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const lines = this.#lines;
    this.#lines = [];
    if (lines.length > 0) this.#writeAll(lines);
  }
}
