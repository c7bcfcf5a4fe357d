#!/usr/bin/env -S node --v8-pool-size=1 --disable-warning=ExperimentalWarning --
/**
 * The process. An old Node cannot load the rest (`node:sqlite`), so its version is looked at before anything is
 * imported; the exit code is 0 (done), 1 (failed) or 2 (wrong arguments or settings). After `--` Node leaves our `--env-file`
 * to us: it would end with its own message and exit code 9.
 */
const OLDEST_NODE = 24;

const major = Number(process.versions.node.split('.')[0]);
if (major < OLDEST_NODE) {
  process.stderr.write(
    `vialer-middleware needs Node.js ${OLDEST_NODE} or newer; this is ${process.versions.node}.\n`,
  );
  process.exitCode = 2;
} else {
  const { runProgram } = await import('./cli/program.ts');
  process.exitCode = await runProgram(process.argv);
}
