import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mutate } from './find-mutants.ts';
import type { KnownTest } from './known-test.ts';
import type { Mutant } from './mutant.ts';
import { runTestFile } from './run-test-file.ts';
import type { Lane, Sandbox } from './sandbox.ts';

/** What became of a mutant. `unreached`: none of the tests runs its text. */
export type Fate = 'failed' | 'timed-out' | 'survived' | 'unreached';

export interface Trial {
  readonly mutant: Mutant;
  readonly fate: Fate;
  /** The test file that noticed it; undefined if none did. */
  readonly by?: string;
}

/** A busy machine makes tests slower; a fault may make them wait for ever. */
const limitOf = ({ seconds }: KnownTest): number => seconds * 3_000 + 15_000;

/** Puts the fault into the lane's copy, runs the tests until one fails, and takes it out again. Undefined if interrupted. */
export async function tryMutant(
  mutant: Mutant,
  tests: readonly KnownTest[],
  lane: Lane,
  sandbox: Sandbox,
  signal: AbortSignal,
): Promise<Trial | undefined> {
  if (tests.length === 0) return { mutant, fate: 'unreached' };
  const place = join(lane.folder, mutant.file);
  const text = readFileSync(place, 'utf8');
  writeFileSync(place, mutate(text, mutant));
  try {
    const env = { NODE_COMPILE_CACHE: sandbox.compiled };
    for (const test of tests) {
      const options = { limitMs: limitOf(test), env, signal, endAtFailure: true };
      let verdict = await runTestFile(test.file, lane, options);
      // A test may fail by a busy machine alone: it has noticed the fault if it fails again.
      if (verdict === 'failed') verdict = await runTestFile(test.file, lane, options);
      if (verdict === 'stopped') return undefined;
      if (verdict !== 'passed') return { mutant, fate: verdict, by: test.file };
    }
    return { mutant, fate: 'survived' };
  } finally {
    writeFileSync(place, text);
  }
}
