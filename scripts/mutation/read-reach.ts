import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Which source text a test file runs: pairs of start and end (UTF-16 units) for each file below src/. */
export type Reach = Readonly<Record<string, readonly (readonly [number, number])[]>>;

interface V8Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}
interface V8Report {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly V8Range[] }[];
  }[];
}

/**
 * Reads what the processes of a test file wrote to `NODE_V8_COVERAGE`. Node passes that on to the processes it starts;
 * one that is killed writes nothing. Positions are those of the source: Node blanks types out.
 */
export function readReach(folder: string, laneFolder: string): Reach {
  const painted = new Map<string, Uint8Array>();
  const prefix = `file://${laneFolder}/`;
  for (const name of readdirSync(folder)) {
    for (const { url, functions } of readReport(join(folder, name)).result) {
      if (!url.startsWith(`${prefix}src/`)) continue;
      const file = url.slice(prefix.length);
      const ofProcess = paint(functions.flatMap(({ ranges }) => ranges));
      const known = painted.get(file);
      if (known === undefined) painted.set(file, ofProcess);
      else for (const [index, ran] of ofProcess.entries()) known[index] ||= ran;
    }
  }
  return Object.fromEntries([...painted].map(([file, ran]) => [file, intervals(ran)]));
}

function readReport(file: string): V8Report {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    // Its process was killed while it wrote.
    return { result: [] };
  }
}

/** Ranges are nested, and the innermost counts: the longest are painted first. */
function paint(ranges: readonly V8Range[]): Uint8Array {
  const ordered = ranges.toSorted(
    (one, other) => other.endOffset - other.startOffset - (one.endOffset - one.startOffset),
  );
  const ran = new Uint8Array(Math.max(0, ...ranges.map(({ endOffset }) => endOffset)));
  for (const { startOffset, endOffset, count } of ordered)
    ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  return ran;
}

function intervals(ran: Uint8Array): [number, number][] {
  const found: [number, number][] = [];
  for (let start = ran.indexOf(1); start >= 0; ) {
    const next = ran.indexOf(0, start);
    const end = next < 0 ? ran.length : next;
    found.push([start, end]);
    start = ran.indexOf(1, end);
  }
  return found;
}
