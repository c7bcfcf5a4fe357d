/**
 * Tries every fault of test/faults/many on real processes and servers, prints a table and fails when a row has
 * anything but zeros in its last three columns, or any other problem. `--only NAME` runs the faults whose names begin so,
 * `--seed N` repeats what was left to chance, `--in-flight N` takes another number of calls than 500.
 */
import { runFaults } from '../test/faults/many/run-faults.ts';

process.exitCode = await runFaults(process.argv.slice(2));
