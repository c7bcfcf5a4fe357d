import { readFileSync } from 'node:fs';
import type { Mutant } from './mutant.ts';
import type { Trial } from './try-mutant.ts';

/** `src/a.ts:3:5 boundary: a < b → a <= b`, on one line. */
export function describeMutant(mutant: Mutant): string {
  const text = readFileSync(mutant.file, 'utf8');
  const before = oneLine(text.slice(mutant.start, mutant.end));
  const what = mutant.replacement === '' ? `without ${before}` : `${before} → ${oneLine(mutant.replacement)}`;
  return `${mutant.file}:${mutant.line}:${mutant.column} ${mutant.operator}: ${what}`;
}

/** A row of a Markdown table for each area: mutants, noticed, of these by a time limit, survived, unreached, share. */
export function renderFigures(
  areas: readonly { readonly name: string; readonly trials: readonly Trial[] }[],
): string {
  const rows = areas.map(({ name, trials }) => {
    const count = (fate: Trial['fate']) => trials.filter((trial) => trial.fate === fate).length;
    const noticed = count('failed') + count('timed-out');
    const share = trials.length === 0 ? '' : `${Math.round((100 * noticed) / trials.length)} %`;
    const cells = [
      name,
      trials.length,
      noticed,
      count('timed-out'),
      count('survived'),
      count('unreached'),
      share,
    ];
    return `| ${cells.join(' | ')} |`;
  });
  return [
    '| area | mutants | noticed | of these by a time limit | survived | unreached | noticed of all |',
    '| --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

function oneLine(text: string): string {
  const line = text.replaceAll(/\s+/g, ' ');
  return line.length > 90 ? `${line.slice(0, 87)}...` : line;
}
