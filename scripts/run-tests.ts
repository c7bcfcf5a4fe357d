/**
 * Runs every test/**\/*.test.ts with Node's own runner and fails when none ran: a filter or a glob that matches
 * nothing must not look like success.
 */
import { globSync, mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';
import { Command } from 'commander';

const { args: wanted } = new Command('npm run tests --')
  .description('Runs the tests and prints each as it ends. All of them take some 10 minutes.')
  .argument('[files...]', 'only these test files, such as test/calls/outcomes.test.ts')
  .parse();
const files = wanted.length > 0 ? wanted : globSync('test/**/*.test.ts').sort();
let passed = 0;
let failed = 0;
let skipped = 0;
const reasons = new Set<string>();

// Each file has a process of its own: what Node compiled for one serves the next.
const compiled = mkdtempSync(join(tmpdir(), 'vialer-middleware-compiled-'));
process.env['NODE_COMPILE_CACHE'] = compiled;
process.once('exit', () => rmSync(compiled, { recursive: true, force: true }));

/** A hook that does not end, or a handle that stays open after a failure, keeps a file's process alive for ever. */
const STUCK_MS = 240_000;
const stuck = new AbortController();
const watchdog = setTimeout(() => {
  console.error(
    `No test has ended for ${STUCK_MS / 1000} s: those that still run are ended, which is a failure.`,
  );
  failed += 1;
  stuck.abort();
}, STUCK_MS);

/** What the files started ends with them (harness/owned.ts). */
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    stuck.abort();
    process.exit(1);
  });
}

const stream = run({
  signal: stuck.signal,
  files: files.map((file) => `${process.cwd()}/${file}`),
  // Tests wait more than they work.
  concurrency: availableParallelism() + 1,
  timeout: 120_000,
  execArgv: ['--disable-warning=ExperimentalWarning'],
});
stream.on('test:complete', () => watchdog.refresh());
stream.on('test:pass', (event) => {
  if (typeof event.skip === 'string') reasons.add(event.skip);
  // The tests of a suite that is skipped are not known: it counts as one.
  if (event.details.type === 'suite' && event.skip === undefined) return;
  if (event.skip !== undefined || event.todo !== undefined) skipped += 1;
  else passed += 1;
});
stream.on('test:fail', () => {
  failed += 1;
});
stream.on('end', () => {
  clearTimeout(watchdog);
  console.log(
    `${passed} passed, ${failed} failed, ${skipped} skipped (a suite that is skipped as a whole counts once)`,
  );
  for (const reason of reasons) console.log(`Skipped: ${reason}`);
  if (passed === 0) console.error('No test ran: that is a failure.');
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
});
stream.compose(new spec()).pipe(process.stdout);
