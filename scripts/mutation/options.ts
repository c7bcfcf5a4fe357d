import { parseArgs } from 'node:util';

/** What was asked for on the command line. */
export interface Options {
  /** Names of areas, or files; empty: every area. */
  readonly wanted: readonly string[];
  /** Mutants of each area. */
  readonly sample: number;
  readonly seed: number;
  /** Of tests, for one mutant. */
  readonly testSeconds: number;
  /** Mutants that are tried at the same time. */
  readonly lanes: number;
  readonly help: boolean;
}

/** Reads the arguments; throws an error that says which one cannot be read. */
export function readOptions(args: readonly string[], processors: number): Options {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      sample: { type: 'string' },
      seed: { type: 'string', default: '1' },
      'test-seconds': { type: 'string', default: '90' },
      lanes: { type: 'string', default: String(processors) },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  return {
    wanted: positionals,
    sample:
      values.sample === undefined ? Number.POSITIVE_INFINITY : wholeNumber('--sample', values.sample, 1),
    seed: wholeNumber('--seed', values.seed, 0),
    testSeconds: wholeNumber('--test-seconds', values['test-seconds'], 1),
    lanes: wholeNumber('--lanes', values.lanes, 1),
    help: values.help,
  };
}

function wholeNumber(option: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least) return value;
  throw new Error(`${option} must be a whole number from ${least}, not "${text}"`);
}
