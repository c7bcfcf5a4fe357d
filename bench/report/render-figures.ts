import type { Figure } from './figure.ts';

const HEADINGS = ['figure', 'unit', 'value', 'against', 'its value', 'ratio', 'rounds', 'to reach'] as const;

/** Three significant digits, and never an exponent. */
function shown(value: number): string {
  if (Number.isNaN(value)) return 'not measured';
  const digits = value === 0 ? 2 : Math.max(0, 2 - Math.floor(Math.log10(Math.abs(value))));
  return value.toFixed(Math.min(digits, 3));
}

function cellsOf({
  title,
  unit,
  value,
  against,
  baseline,
  ratio,
  rounds,
  target,
}: Figure): readonly string[] {
  return [
    title,
    unit,
    shown(value),
    against,
    shown(baseline),
    Number.isNaN(ratio) ? '' : ratio.toFixed(2),
    String(rounds.length),
    target === undefined
      ? ''
      : `${target.of} ≤ ${target.atMost}: ${target.reached ? 'reached' : 'not reached'}`,
  ];
}

/** The figures as a Markdown table whose columns are aligned for a terminal as well. */
export function renderFigures(figures: readonly Figure[]): string {
  const rows = [HEADINGS, HEADINGS.map(() => '---'), ...figures.map(cellsOf)];
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)));
  return rows
    .map((row) => `| ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join(' | ')} |`)
    .join('\n');
}
