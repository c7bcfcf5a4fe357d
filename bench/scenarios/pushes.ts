import { nodeFlags } from '../../harness/start-command.ts';
import { now, sleepUntil } from '../lib/clock.ts';
import { type HelperProcess, startHelper } from '../lib/helper-process.ts';
import { cpuMs } from '../lib/process-figures.ts';
import { arrivals } from '../lib/schedule.ts';
import type { PushProcess } from '../pushes/push-process.ts';
import type { Pair } from '../report/figure.ts';
import { type Bench, defineScenario, type RoundsOf } from './scenario.ts';

/** Pushes a second at which the processor time of one is measured. */
const PER_SECOND = 1_000;
/** Pushes in flight when as many as possible are sent; Google lets a connection have 100. */
const AT_ONCE = 150;
const LEAD_MS = 150;

type Sender = HelperProcess<PushProcess>;

const FIGURES = {
  'pushes.cpu': {
    title: `processor time a push, ${PER_SECOND} a second`,
    unit: 'µs',
    target: { of: 'ratio', atMost: 1.25 },
  },
  'pushes.throughput': { title: `pushes with ${AT_ONCE} in flight`, unit: '1/s' },
  'pushes.cpu-flooded': {
    title: `processor time a push, ${AT_ONCE} in flight`,
    unit: 'µs',
    target: { of: 'ratio', atMost: 1.25 },
  },
} as const;

/** What one push costs, and how many go, without PBXs and apps. */
export const pushes = defineScenario({
  name: 'pushes',
  ofAnyService: false,
  about: "the service's push side alone, against node:http2 with nothing around it",
  figures: FIGURES,
  prepare: async (bench, running) => {
    const start = async (sender: 'service' | 'raw'): Promise<Sender> => {
      const helper = await startHelper<PushProcess>(new URL('../pushes/push-process.ts', import.meta.url), {
        env: { NODE_EXTRA_CA_CERTS: bench.tools.caFile },
        execArgv: nodeFlags(),
      });
      running.defer(() => helper.close());
      await helper.ask('start', { sender, world: bench.tools.world });
      return helper;
    };
    const [service, raw] = await Promise.all([start('service'), start('raw')]);
    return () => measure(bench, service, raw);
  },
});

async function measure(bench: Bench, service: Sender, raw: Sender): Promise<RoundsOf<typeof FIGURES>> {
  const { rounds, seconds } = bench.extent;
  for (const sender of [service, raw]) await flood(bench, sender, seconds);
  const steady: Pair[] = [];
  const flooded: { value: Flood; baseline: Flood }[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    const baseline = await atRate(bench, raw);
    const value = await atRate(bench, service);
    steady.push({ value, baseline });
    const rawFlood = await flood(bench, raw, seconds);
    const serviceFlood = await flood(bench, service, seconds);
    flooded.push({ value: serviceFlood, baseline: rawFlood });
    bench.say(
      `round ${round}, pushes: ${Math.round(value)} µs each, raw ${Math.round(baseline)}; ${told(serviceFlood)}, raw ${told(rawFlood)}`,
    );
  }
  const pairs = (of: (one: Flood) => number): readonly Pair[] =>
    flooded.map(({ value, baseline }) => ({ value: of(value), baseline: of(baseline) }));
  return {
    'pushes.cpu': steady,
    'pushes.throughput': pairs(({ perSecond }) => perSecond),
    'pushes.cpu-flooded': pairs(({ cpuUs }) => cpuUs),
  };
}

/** Microseconds a push. */
async function atRate({ tools, extent }: Bench, sender: Sender): Promise<number> {
  const startAt = now() + LEAD_MS;
  const due = arrivals({ perSecond: PER_SECOND, seconds: extent.seconds, seed: tools.nextSeed() }).map(
    (at) => at + startAt,
  );
  await sleepUntil(startAt);
  const before = cpuMs(sender.pid);
  await sender.ask('follow', {
    run: tools.run,
    firstCall: tools.takeCalls(due.length),
    accounts: tools.accounts,
    due,
  });
  return ((cpuMs(sender.pid) - before) * 1_000) / due.length;
}

interface Flood {
  readonly perSecond: number;
  readonly cpuUs: number;
  /** Share of one processor that the stand-in of the push services used. */
  readonly serverShare: number;
}

async function flood({ tools }: Bench, sender: Sender, seconds: number): Promise<Flood> {
  const before = { at: now(), cpu: cpuMs(sender.pid), server: cpuMs(tools.phones.pid) };
  const plan = { run: tools.run, firstCall: tools.takeCalls(1), accounts: tools.accounts };
  const count = await sender.ask('flood', { ...plan, atOnce: AT_ONCE, until: before.at + seconds * 1_000 });
  const ms = now() - before.at;
  return {
    perSecond: (count * 1_000) / ms,
    cpuUs: ((cpuMs(sender.pid) - before.cpu) * 1_000) / count,
    serverShare: (cpuMs(tools.phones.pid) - before.server) / ms,
  };
}

function told({ perSecond, cpuUs, serverShare }: Flood): string {
  return `${Math.round(perSecond)}/s at ${Math.round(cpuUs)} µs (server ${serverShare.toFixed(2)})`;
}
