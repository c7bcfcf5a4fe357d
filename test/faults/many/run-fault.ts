import type { DatabaseServer } from '../../../harness/database-server.ts';
import { watchMachine } from '../../../harness/machine-load.ts';
import { createRandom } from '../../../harness/random.ts';
import { until, WaitedInVain } from '../../../harness/until.ts';
import type { TriedRow } from '../../helpers/retries.ts';
import { startBus } from './buses.ts';
import type { FaultCase, Scene } from './fault-case.ts';
import { startFleet, WAIT_MS } from './fleet.ts';
import type { Holdings } from './holdings.ts';
import type { Instance } from './instance.ts';
import { createLedger, makeSubscribers } from './ledger.ts';
import { holdingsOf, leftoversOf } from './leftovers.ts';
import { pause } from './pause.ts';
import { createPbxs, type WakeUpTimes } from './pbxs.ts';
import { startPhones } from './phones.ts';
import { putSubscribersIn } from './subscribers-in.ts';
import { takenBy, takenTwice } from './taken-answers.ts';
import { judge, type Verdict } from './verdict.ts';

/** A line of the table. */
export interface FaultResult extends TriedRow {
  readonly setUp: string;
  readonly inFlight: number;
  readonly verdict: Verdict;
  readonly tookMs: number;
}

/** Where the instances' common database is. */
export interface SharedDatabase {
  readonly server: DatabaseServer;
  readonly url: string;
}

/** How faults are tried. */
export interface RunOptions {
  /** Of everything that is left to chance. */
  readonly seed: number;
  /** Calls that wait at the moment of the fault. */
  readonly inFlight: number;
  /** A folder in which Node keeps what it has compiled. */
  readonly compileCache: string;
}

/** Until enough wait; then calls come in more slowly, so that what is left of the fleet has time for them. */
const FILLING_SECONDS = 2.5;
const CALLS_PER_SECOND_IN_FLIGHT = 0.16;
/** The first phones answer when the fault comes, all within the wait of their call. */
const SLOW: WakeUpTimes = { least: 2_000, most: 4_600 };
const QUICK: WakeUpTimes = { least: 20, most: 100 };
/** Calls at once before the fault, so that every instance holds what it usually does, and afterwards. */
const TRIAL_CALLS = 60;
/** Enough accounts that each has one call at a time. */
const SUBSCRIBERS = 2_000;
/** How long calls come in after the fault is over. */
const AFTER_MS = 1_000;

/** Tries one fault on a fleet of its own. */
export async function runFault(
  fault: FaultCase,
  database: SharedDatabase,
  options: RunOptions,
): Promise<FaultResult> {
  const startedAt = performance.now();
  const othersShare = watchMachine();
  const tried = await tryFault(fault, database, options).catch((error: unknown) => ({
    inFlight: 0,
    verdict: judge([], WAIT_MS),
    problems: [error instanceof Error ? error.message : String(error)],
    lateness: error instanceof WaitedInVain ? 1 : 0,
  }));
  return {
    ...tried,
    name: fault.name,
    setUp: [fault.instances, fault.database, ...(fault.bus === 'none' ? [] : [fault.bus])].join(', '),
    tookMs: performance.now() - startedAt,
    othersShare: othersShare(),
  };
}

async function tryFault(
  fault: FaultCase,
  database: SharedDatabase,
  options: RunOptions,
): Promise<Pick<FaultResult, 'inFlight' | 'verdict' | 'problems' | 'lateness'>> {
  const random = createRandom(options.seed);
  const subscribers = makeSubscribers(SUBSCRIBERS);
  await using open = new AsyncDisposableStack();
  const bus = await startBus(fault.bus);
  open.defer(() => bus.close());
  const fleet = await startFleet({
    instances: fault.instances,
    databaseUrl: database.url,
    settingsOf: (index) => ({ ...bus.settingsOf(index), ...fault.settings }),
    compileCache: options.compileCache,
    peers: new Map([...bus.peers, [Number(new URL(database.url).port), 'database']]),
  });
  open.defer(() => fleet.close());
  await putSubscribersIn(database.url, subscribers);
  const ledger = createLedger();
  const phones = startPhones({
    world: fleet.world,
    subscribers,
    ledger,
    lines: fleet.lines,
    anyInstance: bus.kind !== 'none',
    random,
  });
  open.defer(() => phones.close());
  let wakeUp = QUICK;
  const pbxs = createPbxs({
    subscribers,
    ledger,
    lines: fleet.lines,
    joins: bus.kind !== 'none',
    waitMs: WAIT_MS,
    wakeUp: () => wakeUp,
    random,
  });
  open.defer(() => pbxs.callAtRate(0));
  const scene: Scene = { fleet, database: database.server, bus, pbxs, phones };

  const quiet = async () => {
    await until(() => pbxs.waiting() === 0 && phones.pending() === 0, 'all calls have ended');
    fleet.lines.hangUp();
  };
  const callsRing = async (): Promise<boolean> => {
    const { unexpected } = judge(await pbxs.callAtOnce(TRIAL_CALLS), WAIT_MS);
    return unexpected.length === 0;
  };

  const problems: string[] = [];
  await until(callsRing, 'calls ring before the fault');
  await quiet();
  const base = new Map<Instance, Holdings>();
  for (const instance of fleet.instances) base.set(instance, await holdingsOf(fleet, instance));

  const takenBefore = await takenBy(fleet.instances);

  wakeUp = SLOW;
  const firstOfLoad = ledger.calls.length;
  pbxs.callAtRate(options.inFlight / FILLING_SECONDS);
  await until(() => pbxs.waiting() >= options.inFlight, `${options.inFlight} calls are in flight`);
  const inFlight = pbxs.waiting();
  pbxs.callAtRate(options.inFlight * CALLS_PER_SECOND_IN_FLIGHT);
  const impact = await fault.strike(scene);
  await pause(AFTER_MS);
  pbxs.callAtRate(0);
  await quiet();
  const calls = ledger.calls.slice(firstOfLoad);
  const judged = judge(calls, WAIT_MS, impact);
  const twice = takenTwice(calls, takenBefore, await takenBy(fleet.instances), impact);
  const verdict = { ...judged, twice: [...judged.twice, ...twice] };
  const late = impact.lateness?.(calls) ?? [];
  problems.push(...problemsOf(verdict), ...(impact.check?.(calls) ?? []), ...late);

  await impact.heal?.();
  wakeUp = QUICK;
  await until(callsRing, 'calls ring again').catch((error) => problems.push(String(error)));
  await quiet();
  problems.push(
    ...(await leftoversOf(fleet, base, impact.mayKeep ?? {})),
    ...(await faultsOfInstances(fleet.instances)),
  );
  return {
    inFlight,
    verdict,
    problems,
    lateness: late.length + verdict.late.length + verdict.timedOut,
  };
}

function problemsOf(verdict: Verdict): readonly string[] {
  return [
    ...verdict.lost.map((text) => `lost: ${text}`),
    ...verdict.twice.map((text) => `answered twice: ${text}`),
    ...verdict.late.map((text) => `past deadline: ${text}`),
    ...verdict.unexpected.map((text) => `unexpected: ${text}`),
  ];
}

/** What an instance says of itself that must never be: requests that a bug spoilt, and Node's warnings of leaks. */
async function faultsOfInstances(instances: readonly Instance[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const instance of instances) {
    if (/Warning:|Unhandled|Uncaught/.test(instance.output()))
      found.push(`instance ${instance.name} wrote a warning of Node's: ${instance.output().slice(-2_000)}`);
    if (!instance.runs()) continue;
    const failed = (await instance.metrics()).sum('vialer_middleware_requests_failed_total');
    if (failed > 0) found.push(`instance ${instance.name}: a bug spoilt ${failed} requests`);
  }
  return found;
}
