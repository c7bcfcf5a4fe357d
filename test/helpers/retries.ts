/** A row that was only late while other programs used more of the machine than this was short of time. */
const BUSY = 0.2;
/** One of so many rows may be tried again. If more need it, the machine is too busy to tell anything. */
const ROWS_PER_RETRY = 10;

/** What a try of a row came to. */
export interface TriedRow {
  readonly name: string;
  /** Everything that is wrong, in words. */
  readonly problems: readonly string[];
  /** How many of the problems only say that something took too long. */
  readonly lateness: number;
  /** How much of the machine other programs used meanwhile, 0 to 1. */
  readonly othersShare: number;
}

/** Tries rows of a suite again, once each, if they were late on a busy machine and nothing else was wrong. */
export class Retries {
  readonly #most: number;
  readonly #rows: number;
  readonly #tried: string[] = [];
  #begun = 0;

  constructor(rows: number) {
    this.#rows = rows;
    this.#most = Math.floor(rows / ROWS_PER_RETRY);
  }

  /** Runs a row, at most once unless `mayRepeat`; `report` hears of each try, with its place such as `3/15`. */
  async run<Row extends TriedRow>(
    tryRow: () => Promise<Row>,
    report: (row: Row, place: string) => void,
    mayRepeat = true,
  ): Promise<Row> {
    this.#begun += 1;
    const place = `${this.#begun}/${this.#rows}`;
    const row = await tryRow();
    report(row, place);
    const { problems, lateness, othersShare } = row;
    const wasShortOfTime = problems.length > 0 && lateness === problems.length && othersShare > BUSY;
    if (!mayRepeat || !wasShortOfTime || this.#tried.length >= this.#most) return row;
    this.#tried.push(`${row.name} (other programs used ${Math.round(othersShare * 100)} % of the machine)`);
    const again = await tryRow();
    report(again, place);
    return again;
  }

  /** For the last line of the suite. */
  get summary(): string {
    const count = `${this.#tried.length} of ${this.#rows} rows tried again because they were late`;
    return this.#tried.length === 0 ? count : `${count}: ${this.#tried.join(', ')}`;
  }
}
