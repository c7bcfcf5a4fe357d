import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutate } from './find-mutants.ts';
import type { KnownTest } from './known-test.ts';
import type { Mutant } from './mutant.ts';
import { runTestFile } from './run-test-file.ts';
import type { Lane } from './sandbox.ts';

/** What became of a mutant. `unreached`: none of the tests runs its text. */
export type Fate = 'failed' | 'timed-out' | 'survived' | 'unreached';

export interface Trial {
  readonly mutant: Mutant;
  readonly fate: Fate;
  /** The test file that noticed it; undefined if none did. */
  readonly by?: string;
}

export interface TrialOptions {
  /** All the time that the tests may take. One that runs then is ended, and has noticed nothing. */
  readonly seconds: number;
  /** A folder for what Node compiles. */
  readonly compiled: string;
  readonly signal: AbortSignal;
}

/** A busy machine makes tests slower; a fault may make them wait for ever. */
function limitOf({ seconds }: KnownTest): number {
  return seconds * 3_000 + 15_000;
}

/** Puts the fault into the lane's copy, runs the tests until one fails, and takes it out again. Undefined if interrupted. */
export async function tryMutant(
  mutant: Mutant,
  tests: readonly KnownTest[],
  lane: Lane,
  options: TrialOptions,
): Promise<Trial | undefined> {
  if (tests.length === 0) return { mutant, fate: 'unreached' };
  const place = join(lane.folder, mutant.file);
  const text = readFileSync(place, 'utf8');
  writeFileSync(place, mutate(text, mutant));
  try {
    return await runTests(mutant, tests, lane, options);
  } finally {
    writeFileSync(place, text);
  }
}

async function runTests(
  mutant: Mutant,
  tests: readonly KnownTest[],
  lane: Lane,
  { seconds, compiled, signal }: TrialOptions,
): Promise<Trial | undefined> {
  const endAt = performance.now() + seconds * 1_000;
  const env = { NODE_COMPILE_CACHE: compiled };
  for (const test of tests) {
    const run = (limitMs: number) =>
      runTestFile(test.file, lane, { limitMs, env, signal, endAtFailure: true });
    const leftMs = endAt - performance.now();
    if (leftMs <= 0) break;
    let verdict = await run(Math.min(leftMs, limitOf(test)));
    // A test may fail by a busy machine alone: it has noticed the fault if it fails again.
    if (verdict === 'failed') verdict = await run(limitOf(test));
    else if (verdict === 'timed-out' && leftMs < limitOf(test)) break;
    if (verdict === 'stopped') return undefined;
    if (verdict !== 'passed') return { mutant, fate: verdict, by: test.file };
  }
  return { mutant, fate: 'survived' };
}
