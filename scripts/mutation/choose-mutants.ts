import { existsSync, globSync, readFileSync } from 'node:fs';
import { InvalidArgumentError } from 'commander';
import { AREAS, type Area } from './areas.ts';
import { chooseSample, findMutants } from './find-mutants.ts';
import type { Mutant } from './mutant.ts';

/** `src/calls/call.ts`, `src/calls`, `src/calls/call.ts:12` or, as the run prints it, `src/calls/call.ts:12:5`. */
const PLACE = /^(?<path>src\/[^:]+)(?::(?<line>\d+))?(?::(?<column>\d+))?$/;

/** What is wanted: areas or places, or everything if empty. */
interface Choice {
  readonly wanted: readonly string[];
  readonly sample: number;
  readonly seed: number;
}

/** Checks a word of the command line; it is returned as it is. */
export function knownPlace(word: string): string {
  const path = PLACE.exec(word)?.groups?.['path'];
  if (AREAS.some(({ name }) => name === word) || (path !== undefined && existsSync(path))) return word;
  throw new InvalidArgumentError('It is neither an area nor a file or folder below src/.');
}

/** The mutants of each area that were asked for. */
export function chooseMutants({ wanted, sample, seed }: Choice): readonly [Area, readonly Mutant[]][] {
  return AREAS.map((area): [Area, readonly Mutant[]] => {
    const everything = wanted.length === 0 || wanted.includes(area.name);
    const mutants = sourcesOf(area)
      .flatMap((file) => findMutants(file, readFileSync(file, 'utf8')))
      .filter((mutant) => everything || wanted.some((word) => isAt(mutant, word)));
    return [area, chooseSample(mutants, sample, seed)];
  }).filter(([, mutants]) => mutants.length > 0);
}

function sourcesOf({ sources, except }: Area): string[] {
  return globSync(sources, except === undefined ? {} : { exclude: [except] }).sort();
}

function isAt(mutant: Mutant, word: string): boolean {
  const { path, line = mutant.line, column = mutant.column } = PLACE.exec(word)?.groups ?? {};
  if (path === undefined) return false;
  const isBelow = mutant.file === path || mutant.file.startsWith(`${path.replace(/\/$/, '')}/`);
  return isBelow && mutant.line === Number(line) && mutant.column === Number(column);
}
