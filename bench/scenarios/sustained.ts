import { climb, highestSustained, type Step } from '../calls/climb.ts';
import type { Pair } from '../report/figure.ts';
import type { Subject } from '../subjects/subject.ts';
import { type Bench, defineScenario } from './scenario.ts';

/** How many calls a second go. */
export const sustained = defineScenario({
  name: 'sustained',
  ofAnyService: true,
  about: 'the highest rate at which every call rings, and 99 of 100 pushes and answers take at most 200 ms',
  figures: { 'sustained.calls.sqlite': { title: 'calls a second, sustained', unit: '1/s' } },
  prepare: async (bench) => {
    const [limit, service] = await Promise.all([bench.limit(), bench.service()]);
    return async () => {
      for (const subject of [limit, service]) await bench.warmUp(subject);
      const rounds: Pair[] = [];
      for (let round = 1; round <= bench.extent.stairs.rounds; round += 1) {
        const baseline = await highestRate(bench, limit);
        rounds.push({ value: await highestRate(bench, service), baseline });
      }
      return { 'sustained.calls.sqlite': rounds };
    };
  },
});

/** Rates found so far, where everything is measured once. */
const found = new WeakMap<Subject, number>();

/** Calls a second; NaN where not even the lowest rate is kept up. */
export async function highestRate(bench: Bench, subject: Subject): Promise<number> {
  const known = bench.extent.stairs.rounds === 1 ? found.get(subject) : undefined;
  const rate = known ?? (await climbToEnd(bench, subject));
  found.set(subject, rate);
  return rate;
}

async function climbToEnd(bench: Bench, subject: Subject): Promise<number> {
  const steps = await climb(bench.tools, subject, bench.extent.stairs);
  const highest = highestSustained(steps);
  for (const step of steps) bench.say(`${subject.name}, ${told(step)}`);
  return highest?.perSecond ?? Number.NaN;
}

function told({ perSecond, sustained, ackDelay, pushDelay, shares }: Step): string {
  return `${Math.round(perSecond)} calls/s${sustained ? '' : ' not kept up'}: p99 of pushes ${pushDelay.p99.toFixed(1)}, of ACKs ${ackDelay.p99.toFixed(1)} ms; processors ${shares.subject.toFixed(2)} + PBXs ${shares.pbxs.toFixed(2)} + phones ${shares.phones.toFixed(2)}`;
}
