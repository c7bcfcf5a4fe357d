import { markdownTable } from '../helpers/markdown-table.ts';
import type { CaseResult } from './inspect-case.ts';

const HEADINGS = [
  'case',
  'Kamailio asks with',
  'calls',
  'caller heard',
  'outcome',
  'pushes',
  'INVITE to the phone after, ms',
  'after "ready", ms',
  'took, s',
  '',
] as const;

function cellsOf(result: CaseResult): readonly string[] {
  return [
    result.name,
    result.stage,
    String(result.calls),
    result.heard,
    result.outcomes,
    String(result.pushes),
    rangeOf(result.releasedMs),
    rangeOf(result.readyMs),
    (result.tookMs / 1_000).toFixed(1),
    result.problems.length === 0 ? 'passed' : 'FAILED',
  ];
}

/** `612`, or the least, the middle and the most: `210/540/870`. */
function rangeOf(values: readonly number[]): string {
  const sorted = [...values].sort((one, other) => one - other);
  const at = (share: number) => Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0);
  if (sorted.length === 0) return '';
  return sorted.length === 1 ? String(at(0)) : `${at(0)}/${at(0.5)}/${at(1)}`;
}

/** The results as a table in Markdown, aligned. */
export function renderTable(results: readonly CaseResult[]): string {
  return markdownTable(HEADINGS, results.map(cellsOf));
}
