import { resolve } from 'node:path';
import { measureCalls } from './calls/measure-calls.ts';
import { type Machine, thisMachine } from './lib/machine.ts';
import { startTools, type Tools } from './lib/tools.ts';
import type { BenchOptions } from './options.ts';
import type { Figure } from './report/figure.ts';
import { SCENARIOS } from './scenarios/all-scenarios.ts';
import { FULL, QUICK } from './scenarios/extent.ts';
import type { Bench } from './scenarios/scenario.ts';
import { type InstancesOptions, startInstances } from './subjects/start-instances.ts';
import { startLimit } from './subjects/start-limit.ts';
import type { Subject } from './subjects/subject.ts';

/** What a run has found. */
export interface Report {
  readonly startedAt: string;
  readonly tookSeconds: number;
  readonly machine: Machine;
  readonly quick: boolean;
  readonly figures: readonly Figure[];
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
/** Phones that are called. */
const ACCOUNTS = 500;
/** One request in ten comes over a connection of its own. */
const FRESH_SHARE = 0.1;
/** Phones that register at once before the measurements. */
const AT_ONCE = 16;
/** Compiles what is hot, and fills what is filled only once. */
const WARM_UP = { perSecond: 400, wakeMs: 100, seconds: 3 } as const;

/** Runs the scenarios that the options name, and ends all that it started. */
export const runBench = async (options: BenchOptions, say: (text: string) => void): Promise<Report> => {
  const machine = thisMachine();
  const startedAt = new Date();
  await using running = new AsyncDisposableStack();
  const tools = await startTools({ accounts: ACCOUNTS, freshShare: FRESH_SHARE });
  running.defer(() => tools.close());
  const interrupted = (): void => void tools.pbxs.close();
  // Whatever waits for the PBXs is told that they are gone, and everything that was started is ended in order.
  for (const signal of SIGNALS) process.once(signal, interrupted);
  running.defer(() => {
    for (const signal of SIGNALS) process.off(signal, interrupted);
  });
  const once = (start: () => Promise<Subject>): (() => Promise<Subject>) => {
    let started: Promise<Subject> | undefined;
    return () => {
      started ??= start().then((subject) => running.adopt(subject, () => subject.close()));
      return started;
    };
  };
  const nodeOptions = options.cpuProf && `--cpu-prof --cpu-prof-dir=${resolve(options.cpuProf)}`;
  const startService = async (wanted: InstancesOptions): Promise<Subject> =>
    warm(tools, await startInstances(tools, { ...wanted, nodeOptions }));
  const bench: Bench = {
    tools,
    extent: options.quick ? QUICK : FULL,
    limit: once(async () => warm(tools, await startLimit(tools.world))),
    service: once(() => startService({ name: 'service', instances: 1 })),
    startService,
    say,
  };
  const figures: Figure[] = [];
  for (const scenario of SCENARIOS) {
    if (options.scenario === undefined || options.scenario === scenario.name)
      figures.push(...(await scenario.run(bench)));
  }
  return {
    startedAt: startedAt.toISOString(),
    tookSeconds: (Date.now() - startedAt.getTime()) / 1_000,
    machine,
    quick: options.quick,
    figures,
  };
};

/** Registers the phones, and lets calls come for a while that are not measured. */
const warm = async (tools: Tools, subject: Subject): Promise<Subject> => {
  const { accounts } = tools;
  const [origin = ''] = subject.origins;
  await tools.pbxs.ask('register', { accounts, count: accounts, atOnce: AT_ONCE, origin });
  await measureCalls(tools, subject, WARM_UP);
  return subject;
};
