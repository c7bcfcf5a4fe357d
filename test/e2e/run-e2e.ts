import { Command } from 'commander';
import { endOnSignals } from '../../harness/end-on-signals.ts';
import { Retries } from '../helpers/retries.ts';
import { BUSY_CASES, BUSY_WORKERS } from './busy-cases.ts';
import type { E2eCase } from './e2e-case.ts';
import { type CaseResult, inspectCase } from './inspect-case.ts';
import type { Variant } from './kamailio.ts';
import { faultsOfLadder, writeLadder } from './ladder-document.ts';
import { hasHttpAsyncClient, hasNetwork, missingPackages } from './missing-packages.ts';
import { PLAIN_CASES } from './plain-cases.ts';
import { startStage } from './stage.ts';
import { renderTable } from './table.ts';
import { TWO_INSTANCES_CASES, VOICEMAIL_CASES } from './two-instances-cases.ts';

/** Cases that share a stage. */
interface Act {
  readonly variant: Variant;
  readonly instances: 1 | 2;
  readonly voicemail: boolean;
  readonly workers: number;
  readonly cases: readonly E2eCase[];
}

/** Enough for 50 calls at 5 a second whose phones take a second. */
const WORKERS = 24;
/** Problems of one case that are printed; one cause usually shows many times. */
const SHOWN_PROBLEMS = 8;

/** Runs the cases that the arguments ask for and prints what came of them; resolves with the exit code. */
export async function runE2e(args: readonly string[]): Promise<number> {
  const { only, ladder, modules } = readOptions(args);
  const missing = missingPackages();
  if (missing.length > 0) return notTried(`Not installed: ${missing.join(', ')}. ${installing(missing)}`);
  if (!hasNetwork()) return notTried(NO_NETWORK);
  const withAsyncClient = hasHttpAsyncClient(modules);
  const acts = actsFor(withAsyncClient ? ['http_client', 'http_async_client'] : ['http_client'], only);
  if (acts.length === 0) {
    print(`No case begins with "${only}".`);
    return 1;
  }
  await using open = new AsyncDisposableStack();
  endOnSignals(open);
  const startedAt = performance.now();
  const results: CaseResult[] = [];
  const retries = new Retries(acts.flatMap(({ cases }) => cases).length);
  for (const act of acts) {
    const own = open.use(new AsyncDisposableStack());
    for await (const result of perform(act, modules, retries, own)) {
      results.push(result);
    }
    await own.disposeAsync();
  }
  const problems = await lookAtLadder(results, ladder);
  print(renderTable(results));
  for (const problem of problems) print(`✖ ${problem}`);
  if (!withAsyncClient) print(WITHOUT_ASYNC_CLIENT);
  print(`In ${Math.round((performance.now() - startedAt) / 1_000)} s:`);
  const passed = results.filter((result) => result.problems.length === 0).length;
  const failed = results.length - passed + problems.length;
  print(`${passed} passed, ${failed} failed; ${retries.summary}`);
  return failed > 0 ? 1 : 0;
}

interface Options {
  readonly only: string;
  readonly ladder: boolean;
  readonly modules?: string;
}

function readOptions(args: readonly string[]): Options {
  return new Command('npm run test:e2e --')
    .description(
      'Makes calls through a real Kamailio with SIPp and baresip (docs/a-call-in-sip.md). Takes a minute.',
    )
    .option('--only <name>', 'only cases whose names begin so', '')
    .option('--modules <folder>', "where Kamailio's module http_async_client is, to try it as well")
    .option('--ladder', 'draw the ladder of docs/a-call-in-sip.md again', false)
    .parse(args, { from: 'user' })
    .opts<Options>();
}

const WITHOUT_ASYNC_CLIENT =
  'Not tried: WITH_HTTP_ASYNC_CLIENT, because Kamailio has no module http_async_client here (--modules FOLDER).';

function actsFor(variants: readonly Variant[], only: string): readonly Act[] {
  return variants
    .flatMap((variant): Act[] => {
      const usual = { variant, instances: 1, voicemail: false, workers: WORKERS } as const;
      const busy: Act = { ...usual, workers: BUSY_WORKERS, cases: BUSY_CASES };
      return [
        { ...usual, cases: PLAIN_CASES },
        ...(variant === 'http_client' ? [busy] : []),
        { ...usual, instances: 2, cases: TWO_INSTANCES_CASES },
        { ...usual, instances: 2, voicemail: true, cases: VOICEMAIL_CASES },
      ];
    })
    .map((act) => ({ ...act, cases: act.cases.filter(({ name }) => name.startsWith(only)) }))
    .filter(({ cases }) => cases.length > 0);
}

/** Runs the cases of an act on one stage. */
async function* perform(
  act: Act,
  modules: string | undefined,
  retries: Retries,
  open: AsyncDisposableStack,
): AsyncGenerator<CaseResult> {
  const startedAt = performance.now();
  const start = startStage({ ...act, modules }, open);
  const stage = await start.catch((error: unknown) => String(error));
  for (const each of act.cases) {
    const inspect = async (): Promise<CaseResult> =>
      typeof stage === 'string' ? failedToStart(act, each, stage, startedAt) : inspectCase(stage, each);
    // A case that changes its stage for good cannot be tried again.
    yield await retries.run(inspect, report, each.once !== true);
  }
}

/** What a case is where Kamailio or the service did not start. */
function failedToStart(act: Act, each: E2eCase, problem: string, startedAt: number): CaseResult {
  return {
    name: each.name,
    stage: act.variant,
    calls: 0,
    heard: '',
    outcomes: '',
    pushes: 0,
    releasedMs: [],
    readyMs: [],
    problems: [`it was not tried: ${problem}`],
    lateness: 0,
    tookMs: performance.now() - startedAt,
    othersShare: 0,
    rungs: undefined,
  };
}

/** The document's ladder is written anew, or held to what has just happened. */
async function lookAtLadder(results: readonly CaseResult[], write: boolean): Promise<readonly string[]> {
  const rungs = results.find((result) => result.rungs !== undefined && result.problems.length === 0)?.rungs;
  if (rungs === undefined) return [];
  if (!write) return faultsOfLadder(rungs);
  await writeLadder(rungs);
  return [];
}

function installing(missing: readonly string[]): string {
  return `Install them, as root: apt-get install --no-install-recommends ${missing.join(' ')}`;
}

const NO_NETWORK =
  'baresip needs an IPv4 address that is not on loopback, and this machine has none: give it a network.';

function notTried(why: string): number {
  print(why);
  print('0 passed, 0 failed: the calls through Kamailio were not tried');
  return process.env['CI'] === 'true' ? 1 : 0;
}

function report({ name, stage, problems, tookMs }: CaseResult, place: string): void {
  print(`${problems.length === 0 ? '✔' : '✖'} ${place} ${name} (${stage}, ${(tookMs / 1_000).toFixed(1)} s)`);
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) print(`    ${problem}`);
  if (problems.length > SHOWN_PROBLEMS) print(`    and ${problems.length - SHOWN_PROBLEMS} more`);
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
