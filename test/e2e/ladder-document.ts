import { readFile, writeFile } from 'node:fs/promises';
import { drawLadder, type Rung } from './ladder.ts';

const DOCUMENT = 'docs/a-call-in-sip.md';
const BLOCK = /```text\n([\s\S]*?)```/;

/** Puts the ladder of a run in its document, in place of the one that is there. */
export async function writeLadder(rungs: readonly Rung[]): Promise<void> {
  const document = await readFile(DOCUMENT, 'utf8');
  const block = `\`\`\`text\n${drawLadder(rungs)}\n\`\`\``;
  await writeFile(
    DOCUMENT,
    document.replace(BLOCK, () => block),
  );
}

/** What the document's ladder has too much or lacks, in words. Times and the order of neighbours may differ. */
export async function faultsOfLadder(rungs: readonly Rung[]): Promise<readonly string[]> {
  const document = await readFile(DOCUMENT, 'utf8');
  const shown = labelsOf(BLOCK.exec(document)?.[1] ?? '');
  const happened = labelsOf(drawLadder(rungs));
  if (shown.join() === happened.join()) return [];
  return [
    `${DOCUMENT} shows ${shown.join(', ')}; it was ${happened.join(', ')} (npm run test:e2e -- --ladder)`,
  ];
}

function labelsOf(ladder: string): readonly string[] {
  return ladder
    .split('\n')
    .slice(1)
    .map((row) => row.slice(5).replaceAll('|', ' ').replace(/ {2,}/g, ' ').replace(/-{2,}/g, '-').trim())
    .filter((label) => label !== '')
    .sort();
}
