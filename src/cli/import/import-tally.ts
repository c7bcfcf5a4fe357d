import { counted, textTable } from '../kit/text-table.ts';

/** What became, or would become, of rows of one table of the reference. */
export class ImportTally {
  readonly table: string;
  added = 0;
  updated = 0;
  unchanged = 0;
  readonly #skipped = new Map<string, number>();

  constructor(table: string) {
    this.table = table;
  }

  /** `reason` names neither accounts nor tokens; different reasons are few. */
  skip(reason: string, rows = 1): void {
    this.#skipped.set(reason, (this.#skipped.get(reason) ?? 0) + rows);
  }

  get skipped(): number {
    return [...this.#skipped.values()].reduce((sum, rows) => sum + rows, 0);
  }

  /** Every row that was looked at has one fate. */
  get read(): number {
    return this.added + this.updated + this.unchanged + this.skipped;
  }

  /** Why rows were skipped, the most frequent reason first. */
  get reasons(): readonly string[] {
    return [...this.#skipped]
      .sort(([, one], [, other]) => other - one)
      .map(([reason, rows]) => `${this.table}: ${counted(rows, 'row')} skipped: ${reason}`);
  }
}

/** The summary of an import: a line per table, then the reasons for what was skipped. */
export function tallyLines(tallies: readonly ImportTally[]): readonly string[] {
  return [
    ...textTable([
      ['TABLE', 'READ', 'ADDED', 'UPDATED', 'UNCHANGED', 'SKIPPED'],
      ...tallies.map(({ table, read, added, updated, unchanged, skipped }) => [
        table,
        ...[read, added, updated, unchanged, skipped].map(String),
      ]),
    ]),
    ...tallies.flatMap(({ reasons }) => reasons),
  ];
}
