import { parseArgs } from 'node:util';
import { type DatabaseServer, startDatabaseServer } from '../../helpers/database-server.ts';
import { type ServerKind, skipWithout } from '../../helpers/find-server.ts';
import type { FaultCase } from './fault-case.ts';
import { DATABASE_FAULTS } from './database-faults.ts';
import { PUSH_FAULTS } from './push-faults.ts';
import { INSTANCE_FAULTS } from './instance-faults.ts';
import { type FaultResult, runFault, type SharedDatabase } from './run-fault.ts';
import { renderTable } from './table.ts';

const ALL_FAULTS: readonly FaultCase[] = [...INSTANCE_FAULTS, ...DATABASE_FAULTS, ...PUSH_FAULTS];
/** Problems of one row that are printed; one cause usually shows many times. */
const SHOWN_PROBLEMS = 8;

/** Runs the faults that the arguments ask for and prints what came of them; resolves with the exit code. */
export const runFaults = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string' }, seed: { type: 'string' } },
  });
  const seed = Number(values.seed ?? Date.now() % 1_000_000);
  const wanted = ALL_FAULTS.filter(({ name }) => name.startsWith(values.only ?? ''));
  if (wanted.length === 0) {
    print(`No fault is called "${values.only}". There are: ${ALL_FAULTS.map(({ name }) => name).join(', ')}`);
    return 1;
  }
  await using servers = new AsyncDisposableStack();
  const databases = new Map<ServerKind, SharedDatabase>();
  const databaseOf = async (kind: ServerKind): Promise<SharedDatabase> => {
    const known = databases.get(kind);
    if (known !== undefined) return known;
    const server: DatabaseServer = await startDatabaseServer(kind);
    servers.defer(() => server.close());
    const shared = { server, url: await server.createDatabase() };
    databases.set(kind, shared);
    return shared;
  };

  print(`seed ${seed}`);
  const results: FaultResult[] = [];
  const skipped: string[] = [];
  for (const fault of wanted) {
    const missing = skipWithout(fault.database);
    if (missing !== false) {
      skipped.push(`skipped: ${fault.name}: ${missing}`);
      continue;
    }
    const result = await runFault(fault, await databaseOf(fault.database), seed);
    results.push(result);
    print(`${result.problems.length === 0 ? '✔' : '✖'} ${fault.name} (${Math.round(result.tookMs / 1000)} s)`);
    for (const problem of result.problems.slice(0, SHOWN_PROBLEMS)) print(`    ${problem}`);
    if (result.problems.length > SHOWN_PROBLEMS)
      print(`    and ${result.problems.length - SHOWN_PROBLEMS} more`);
  }
  print(renderTable(results));
  for (const line of skipped) print(line);
  return results.some(({ problems }) => problems.length > 0) || results.length === 0 ? 1 : 0;
};

const print = (text: string): void => {
  process.stdout.write(`${text}\n`);
};
