/** Measures which faults in the sources the tests notice (docs/testing.md). No part of `npm test`. */
import { runMutation } from './mutation/run-mutation.ts';

process.exitCode = await runMutation(process.argv, console.log);
