import { resolve } from 'node:path';
import { watchMachine } from '../harness/machine-load.ts';
import { measureCalls } from './calls/measure-calls.ts';
import { type Machine, thisMachine } from './lib/machine.ts';
import { startTools, type Tools } from './lib/tools.ts';
import type { BenchOptions } from './options.ts';
import { type Figure, figureOf } from './report/figure.ts';
import { SCENARIOS } from './scenarios/all-scenarios.ts';
import { FULL, QUICK } from './scenarios/extent.ts';
import type { Bench, Scenario } from './scenarios/scenario.ts';
import { type InstancesOptions, startInstances } from './subjects/start-instances.ts';
import { startLimit } from './subjects/start-limit.ts';
import { startTarget } from './subjects/start-target.ts';
import type { Subject } from './subjects/subject.ts';

/** What a run has found. */
export interface Report {
  readonly startedAt: string;
  readonly tookSeconds: number;
  /** `othersShare`: of all processors, what other programs used meanwhile, 0 to 1. */
  readonly machine: Machine & { readonly othersShare: number };
  readonly quick: boolean;
  /** The other implementation that was measured, if it was one. */
  readonly target: string | undefined;
  readonly figures: readonly Figure[];
  /** What went otherwise than it must for the figures to mean something. */
  readonly problems: readonly string[];
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Phones that are called. */
const ACCOUNTS = 500;
/** One request in ten comes over a connection of its own. */
const FRESH_SHARE = 0.1;
/** Phones that register at once before the measurements. */
const AT_ONCE = 16;
/** So that the first call that is looked at is not the first of all. */
const FIRST_CALLS = { perSecond: 100, wakeMs: 100, seconds: 0.5 } as const;

/** Runs the scenarios that the options name, and ends all that it started. */
export async function runBench(options: BenchOptions, say: (text: string) => void): Promise<Report> {
  const machine = thisMachine();
  const othersShare = watchMachine();
  const startedAt = new Date();
  await using running = new AsyncDisposableStack();
  const tools = await startTools({ accounts: ACCOUNTS, freshShare: FRESH_SHARE });
  running.defer(() => tools.close());
  endOnSignal(running, tools);
  const bench = createBench(options, tools, say, running);
  const chosen = SCENARIOS.filter(({ name }) => options.scenario === undefined || options.scenario === name);
  const possible = chosen.filter(({ ofAnyService }) => options.target === undefined || ofAnyService);
  for (const { name } of chosen.filter((scenario) => !possible.includes(scenario)))
    say(`${name}: not of a target`);
  const figures = await (options.quick ? runTogether : runInTurn)(bench, possible);
  return {
    startedAt: startedAt.toISOString(),
    tookSeconds: (Date.now() - startedAt.getTime()) / 1_000,
    machine: { ...machine, othersShare: othersShare() },
    quick: options.quick,
    target: options.target?.url,
    figures,
    problems: tools.problems,
  };
}

/** Nothing runs that is not measured. */
async function runInTurn(bench: Bench, scenarios: readonly Scenario[]): Promise<readonly Figure[]> {
  const figures: Figure[] = [];
  for (const scenario of scenarios) {
    await using running = new AsyncDisposableStack();
    figures.push(...(await measured(scenario, await scenario.prepare(bench, running))));
  }
  return figures;
}

/** Everything is started at the same time, and then idle until it is measured. */
async function runTogether(bench: Bench, scenarios: readonly Scenario[]): Promise<readonly Figure[]> {
  await using running = new AsyncDisposableStack();
  const prepared = await Promise.all(
    scenarios.map(async (scenario) => ({ scenario, measure: await scenario.prepare(bench, running) })),
  );
  const figures: Figure[] = [];
  for (const { scenario, measure } of prepared) figures.push(...(await measured(scenario, measure)));
  return figures;
}

async function measured(
  { figures }: Scenario,
  measure: Awaited<ReturnType<Scenario['prepare']>>,
): Promise<readonly Figure[]> {
  const rounds = await measure();
  return Object.entries(figures).map(([name, about]) => figureOf(name, about, rounds[name] ?? []));
}

function createBench(
  options: BenchOptions,
  tools: Tools,
  say: (text: string) => void,
  running: AsyncDisposableStack,
): Bench {
  const extent = options.quick ? QUICK : FULL;
  const nodeOptions = options.cpuProf && `--cpu-prof --cpu-prof-dir=${resolve(options.cpuProf)}`;
  const startAny = (wanted: InstancesOptions): Promise<Subject> =>
    options.target === undefined
      ? startInstances(tools, { ...wanted, nodeOptions })
      : startTarget(tools, options.target, say);
  const newLimit: Bench['newLimit'] = async (owner) => {
    const subject = owner.adopt(await startLimit(tools.world), (each) => each.close());
    await begin(tools, subject);
    return subject;
  };
  const newService: Bench['newService'] = async (owner, wanted = { name: 'service', instances: 1 }) => {
    const subject = owner.adopt(await startAny(wanted), (each) => each.close());
    await begin(tools, subject);
    return subject;
  };
  const hot = new Set<Subject>();
  return {
    tools,
    extent,
    limit: once(() => newLimit(running)),
    service: once(() => newService(running)),
    newLimit,
    newService,
    warmUp: async (subject) => {
      if (!hot.has(subject)) await measureCalls(tools, subject, extent.warmUp);
      hot.add(subject);
    },
    isWarm: (subject) => void hot.add(subject),
    say,
  };
}

/** Started when it is first asked for, and then the same for all. */
function once<T>(start: () => Promise<T>): () => Promise<T> {
  let started: Promise<T> | undefined;
  return () => {
    started ??= start();
    return started;
  };
}

/** Whatever waits for the PBXs is told that they are gone, and everything that was started is ended in order. */
function endOnSignal(running: AsyncDisposableStack, { pbxs }: Tools): void {
  const end = (): void => void pbxs.close();
  for (const signal of SIGNALS) {
    process.once(signal, end);
    running.defer(() => void process.off(signal, end));
  }
}

/** Registers the phones, and lets a few calls come. */
async function begin(tools: Tools, subject: Subject): Promise<void> {
  const { accounts } = tools;
  const [origin = ''] = subject.origins;
  await tools.pbxs.ask('register', { accounts, count: accounts, atOnce: AT_ONCE, origin });
  await measureCalls(tools, subject, FIRST_CALLS);
}
