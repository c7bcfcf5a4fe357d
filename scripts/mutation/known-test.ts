import { createHash } from 'node:crypto';
import { globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Reach, readReach } from './read-reach.ts';
import { runTestFile } from './run-test-file.ts';
import type { Lane } from './sandbox.ts';

/** What was measured of a test file with the sources as they are. */
export interface KnownTest {
  readonly file: string;
  readonly passes: boolean;
  readonly seconds: number;
  readonly reach: Reach;
  /** It starts processes and kills them, so it may run more than was seen. */
  readonly runsUnseen: boolean;
}

/** Measurements are kept there while neither the sources nor the test and its helpers change. */
const CACHE = 'node_modules/.cache/mutation';
const LIMIT_MS = 300_000;
const STARTS_SERVICE = /service-process\.ts|src\/main\.ts/;

/** What all measurements depend on. */
export function sourcesHash(): string {
  const hash = createHash('sha256');
  const files = globSync(['{src,test,harness}/**/*.ts', 'package-lock.json']).sort();
  for (const file of files) if (!file.endsWith('.test.ts')) hash.update(file).update(readFileSync(file));
  return hash.digest('hex');
}

/** What is known of a test file; undefined if it must be measured first. */
export function recallTest(file: string, sources: string): KnownTest | undefined {
  try {
    return JSON.parse(readFileSync(placeOf(file, sources), 'utf8'));
  } catch {
    // It was not measured, or not to the end: measuring it writes it anew.
    return undefined;
  }
}

/**
 * Runs a test file with the sources as they are, twice if it fails: a busy machine makes tests fail. Undefined if that was
 * interrupted.
 */
export async function measureTest(
  file: string,
  sources: string,
  lane: Lane,
  signal: AbortSignal,
): Promise<KnownTest | undefined> {
  const first = await measureOnce(file, sources, lane, signal);
  return first === undefined || first.passes ? first : measureOnce(file, sources, lane, signal);
}

async function measureOnce(
  file: string,
  sources: string,
  lane: Lane,
  signal: AbortSignal,
): Promise<KnownTest | undefined> {
  const reports = join(lane.folder, 'v8');
  mkdirSync(reports, { recursive: true });
  const began = performance.now();
  const env = { NODE_V8_COVERAGE: reports };
  const verdict = await runTestFile(file, lane, { limitMs: LIMIT_MS, env, signal, endAtFailure: false });
  if (verdict === 'stopped') return undefined;
  const known: KnownTest = {
    file,
    passes: verdict === 'passed',
    seconds: (performance.now() - began) / 1000,
    reach: readReach(reports, lane.folder),
    runsUnseen: STARTS_SERVICE.test(readFileSync(file, 'utf8')),
  };
  rmSync(reports, { recursive: true });
  if (!known.passes) return known;
  mkdirSync(CACHE, { recursive: true });
  writeFileSync(placeOf(file, sources), JSON.stringify(known));
  return known;
}

function placeOf(file: string, sources: string): string {
  const key = createHash('sha256').update(sources).update(file).update(readFileSync(file)).digest('hex');
  return join(CACHE, `${key}.json`);
}
