import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { type DatabaseServer, startDatabaseServer } from '../../../harness/database-server.ts';
import { endOnSignals } from '../../../harness/end-on-signals.ts';
import { type DatabaseKind, skipWithout } from '../../../harness/find-server.ts';
import { wholeNumber } from '../../../harness/whole-number.ts';
import { Retries } from '../../helpers/retries.ts';
import { BUS_FAULTS } from './bus-faults.ts';
import { DATABASE_FAULTS } from './database-faults.ts';
import type { FaultCase } from './fault-case.ts';
import { INSTANCE_FAULTS } from './instance-faults.ts';
import { PUSH_FAULTS } from './push-faults.ts';
import { type FaultResult, runFault, type SharedDatabase } from './run-fault.ts';
import { renderTable } from './table.ts';

const ALL_FAULTS: readonly FaultCase[] = [
  ...INSTANCE_FAULTS,
  ...DATABASE_FAULTS,
  ...PUSH_FAULTS,
  ...BUS_FAULTS,
];
/** Problems of one row that are printed; one cause usually shows many times. */
const SHOWN_PROBLEMS = 8;

/** Runs the faults that the arguments ask for and prints what came of them; resolves with the exit code. */
export async function runFaults(args: readonly string[]): Promise<number> {
  const { only, seed, inFlight } = readOptions(args);
  const wanted = ALL_FAULTS.filter(({ name }) => name.startsWith(only));
  if (wanted.length === 0) {
    print(`No fault begins with "${only}". There are: ${ALL_FAULTS.map(({ name }) => name).join(', ')}`);
    return 1;
  }
  await using open = new AsyncDisposableStack();
  endOnSignals(open);
  const compileCache = await mkdtemp(join(tmpdir(), 'vialer-middleware-compiled-'));
  open.defer(() => rm(compileCache, { recursive: true, force: true }));
  const databaseOf = createDatabases(open);

  print(`seed ${seed}`);
  const retries = new Retries(wanted.length);
  const results: FaultResult[] = [];
  const skipped: string[] = [];
  for (const fault of wanted) {
    const missing = skipWithout(fault.database) || (fault.bus !== 'none' && skipWithout('Redis'));
    if (missing === false) {
      const database = await databaseOf(fault.database);
      results.push(
        await retries.run(() => runFault(fault, database, { seed, inFlight, compileCache }), report),
      );
    } else skipped.push(`skipped: ${fault.name}: ${missing}`);
  }
  print(renderTable(results));
  for (const line of skipped) print(line);
  print(`${results.length} rows, ${results.filter(hasFailed).length} failed; ${retries.summary}`);
  return results.some(hasFailed) || results.length === 0 ? 1 : 0;
}

interface Options {
  readonly only: string;
  readonly seed: number;
  readonly inFlight: number;
}

function readOptions(args: readonly string[]): Options {
  return new Command('npm run test:faults --')
    .description(
      'Tries each fault with calls in flight, on real processes and servers (docs/faults.md). Takes some 5 minutes.',
    )
    .option('--only <name>', 'only faults whose names begin so', '')
    .option('--seed <number>', 'repeat what was left to chance', wholeNumber, Date.now() % 1_000_000)
    .option('--in-flight <calls>', 'calls that are in flight when the fault comes', wholeNumber, 500)
    .addHelpText('after', `\nFaults:\n${ALL_FAULTS.map(({ name }) => `  ${name}`).join('\n')}`)
    .parse(args, { from: 'user' })
    .opts<Options>();
}

function hasFailed({ problems }: FaultResult): boolean {
  return problems.length > 0;
}

/** One server of a kind for all faults, with one database that is empty in the beginning. */
function createDatabases(open: AsyncDisposableStack): (kind: DatabaseKind) => Promise<SharedDatabase> {
  const databases = new Map<DatabaseKind, SharedDatabase>();
  return async (kind) => {
    const known = databases.get(kind);
    if (known !== undefined) return known;
    const server: DatabaseServer = await startDatabaseServer(kind);
    open.defer(() => server.close());
    const shared = { server, url: await server.createDatabase() };
    databases.set(kind, shared);
    return shared;
  };
}

function report({ name, problems, tookMs }: FaultResult, place: string): void {
  print(`${problems.length === 0 ? '✔' : '✖'} ${place} ${name} (${Math.round(tookMs / 1000)} s)`);
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) print(`    ${problem}`);
  if (problems.length > SHOWN_PROBLEMS) print(`    and ${problems.length - SHOWN_PROBLEMS} more`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
