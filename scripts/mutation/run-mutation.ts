import { globSync } from 'node:fs';
import type { Area } from './areas.ts';
import { chooseMutants } from './choose-mutants.ts';
import { inLanes } from './in-lanes.ts';
import { type KnownTest, measureTest, recallTest, sourcesHash } from './known-test.ts';
import type { Mutant } from './mutant.ts';
import { type Options, parseOptions } from './options.ts';
import { describeMutant, renderFigures } from './report.ts';
import { createSandbox, type Sandbox } from './sandbox.ts';
import { testsFor } from './tests-for.ts';
import { type Trial, tryMutant } from './try-mutant.ts';

type Print = (line: string) => void;

interface Run {
  readonly options: Options;
  readonly sandbox: Sandbox;
  readonly signal: AbortSignal;
  readonly print: Print;
}

/** `npm run test:mutation`: exit code 0 if it came to its end, 1 if it was interrupted. */
export async function runMutation(argv: readonly string[], print: Print): Promise<number> {
  const options = parseOptions(argv);
  const work = chooseMutants(options);
  const stop = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => stop.abort());
  const sandbox = await createSandbox(options.lanes);
  try {
    const run: Run = { options, sandbox, signal: stop.signal, print };
    const results: { name: string; trials: readonly Trial[] }[] = [];
    for (const [area, mutants] of work)
      results.push({ name: area.name, trials: await runArea(area, mutants, run) });
    print(`\n${renderFigures(results)}`);
  } finally {
    await sandbox.remove();
  }
  if (stop.signal.aborted) print('Interrupted: the figures are of what was tried until then.');
  return stop.signal.aborted ? 1 : 0;
}

async function runArea(area: Area, mutants: readonly Mutant[], run: Run): Promise<readonly Trial[]> {
  const tests = await knowTests(globSync([...area.tests]).sort(), run);
  const trials: Trial[] = [];
  await inLanes(mutants, run.sandbox.lanes, run.signal, async (mutant, lane) => {
    const trial = await tryMutant(mutant, testsFor(mutant, tests), lane, {
      seconds: run.options.testSeconds,
      compiled: run.sandbox.compiled,
      signal: run.signal,
    });
    if (trial === undefined) return;
    trials.push(trial);
    const unnoticed = trial.fate === 'survived' || trial.fate === 'unreached';
    if (unnoticed) run.print(`${trial.fate} ${describeMutant(mutant)}`);
    if (trials.length % 10 === 0)
      run.print(`${area.name}: ${trials.length} of ${mutants.length} mutants tried`);
  });
  return trials;
}

/** Measures the tests that are not known yet. One that fails without a fault can notice none, and is left out. */
async function knowTests(files: readonly string[], run: Run): Promise<readonly KnownTest[]> {
  const sources = sourcesHash();
  const known: KnownTest[] = [];
  const unknown: string[] = [];
  for (const file of files) {
    const test = recallTest(file, sources);
    if (test === undefined) unknown.push(file);
    else known.push(test);
  }
  if (unknown.length > 0) run.print(`Measuring what ${unknown.length} test files run`);
  await inLanes(unknown, run.sandbox.lanes, run.signal, async (file, lane) => {
    const test = await measureTest(file, sources, lane, run.signal);
    if (test === undefined) return;
    if (!test.passes) run.print(`Left out, as it fails without a fault: ${file}`);
    known.push(test);
  });
  return known;
}
