import { availableParallelism } from 'node:os';
import { Command } from 'commander';
import { wholeNumber } from '../../harness/whole-number.ts';
import { AREAS } from './areas.ts';
import { knownPlace } from './choose-mutants.ts';

/** What was asked for on the command line. */
export interface Options {
  /** Names of areas, or places below src/; empty: every area. */
  readonly wanted: readonly string[];
  /** Mutants of each area. */
  readonly sample: number;
  readonly seed: number;
  /** Of tests, for one mutant. */
  readonly testSeconds: number;
  /** Mutants that are tried at the same time, 1 or more. */
  readonly lanes: number;
}

/** Reads the command line; ends the process with a message if it cannot be read. */
export function parseOptions(argv: readonly string[]): Options {
  const command = new Command('npm run test:mutation --')
    .description(
      'Puts small faults into a copy of the sources, one at a time, and lists those that no test notices (docs/testing.md).',
    )
    .argument(
      '[what...]',
      'only these areas, or src/FOLDER, src/FILE, src/FILE:LINE, src/FILE:LINE:COLUMN. Everything takes about a day',
      knownPlace,
    )
    .option('--sample <n>', 'this many mutants of each area, chosen by chance; otherwise all', wholeNumber)
    .option('--seed <n>', 'another choice of --sample; the same for the same number', wholeNumber, 1)
    .option('--test-seconds <n>', 'run tests for this long at most for one mutant', wholeNumber, 90)
    .option('--lanes <n>', 'try this many mutants at the same time', wholeNumber, availableParallelism())
    .addHelpText('after', `\nAreas: ${AREAS.map(({ name }) => name).join(', ')}`)
    .parse(argv);
  const { sample = Number.POSITIVE_INFINITY, seed, testSeconds, lanes } = command.opts<Said>();
  return { wanted: command.args, sample, seed, testSeconds, lanes: Math.max(1, lanes) };
}

/** The options as Commander names them. */
interface Said {
  readonly sample?: number;
  readonly seed: number;
  readonly testSeconds: number;
  readonly lanes: number;
}
