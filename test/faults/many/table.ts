import type { FaultResult } from './run-fault.ts';

const HEADINGS = [
  'fault',
  'instances',
  'in flight',
  'asked',
  'ACK',
  'NAK by outcome',
  'asked again',
  'answers carried on',
  'lost',
  'answered twice',
  'past deadline',
] as const;

function cellsOf({ name, setUp, inFlight, verdict }: FaultResult): readonly string[] {
  return [
    name,
    setUp,
    String(inFlight),
    String(verdict.asked),
    String(verdict.acks),
    [...verdict.naks].map(([outcome, count]) => `${outcome} ${count}`).join(', ') || '0',
    String(verdict.askedAgain),
    String(verdict.carriedOn),
    String(verdict.lost.length),
    String(verdict.twice.length),
    String(verdict.late.length),
  ];
}

/** The results as an aligned table. */
export function renderTable(results: readonly FaultResult[]): string {
  const rows = [HEADINGS, ...results.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
