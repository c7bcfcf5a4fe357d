import { AREAS } from './areas.ts';

/** What `--help` prints. */
export const HELP = `Usage: npm run test:mutation -- [options] [AREA | src/FOLDER | src/FILE[:LINE[:COLUMN]]]...

Puts small faults into a copy of the sources, one at a time, and runs the tests that run the faulty text. A fault that no
test notices is listed (docs/testing.md).

Areas: ${AREAS.map(({ name }) => name).join(', ')}. Without any, all of them.

Options:
  --sample N         N mutants of each area, chosen by chance (default: all)
  --seed N           another choice of --sample; the same for the same number (default: 1)
  --test-seconds N   run tests for at most N seconds for one mutant, the most promising first (default: 90)
  --lanes N          try N mutants at the same time (default: the number of processors)
  -h, --help         print this`;
