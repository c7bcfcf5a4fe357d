import { holdCalls } from '../calls/hold-calls.ts';
import { measureCalls } from '../calls/measure-calls.ts';
import { now, sleepUntil } from '../lib/clock.ts';
import { residentBytes } from '../lib/process-figures.ts';
import { type Figure, figure } from '../report/figure.ts';
import type { Subject } from '../subjects/subject.ts';
import type { Bench, Scenario } from './scenario.ts';

const LEVELS = [1_000, 5_000, 15_000] as const;
/** Calls that come while others wait: a hundred of them wait at a time. */
const PASSING = { perSecond: 500, wakeMs: 200 } as const;
const PASSING_WAIT = (PASSING.perSecond * PASSING.wakeMs) / 1_000;
/** Until what was needed only to begin a call is done with. */
const REST_MS = 500;

/** One subject in one round, by the number of calls that waited. */
interface Climb {
  readonly bytesPerCall: ReadonlyMap<number, number>;
  readonly cpuUsPerCall: ReadonlyMap<number, number>;
}

/** What a call costs that only waits, and what the others cost meanwhile. */
export const waiting: Scenario = {
  name: 'waiting',
  about: 'memory of a call that waits, and the cost of another call, while up to 15,000 wait',
  run: async (bench) => {
    const limit = await bench.limit();
    const service = await bench.service();
    const rounds: { value: Climb; baseline: Climb }[] = [];
    for (let round = 1; round <= bench.extent.waiting.rounds; round += 1) {
      const baseline = await letWait(bench, limit);
      rounds.push({ value: await letWait(bench, service), baseline });
    }
    return figuresOf(bench, rounds);
  },
};

const letWait = async (bench: Bench, subject: Subject): Promise<Climb> => {
  const { tools, extent } = bench;
  const bytesPerCall = new Map<number, number>();
  const cpuUsPerCall = new Map<number, number>();
  const cost = async (level: number): Promise<void> => {
    if (!extent.waiting.costAt.includes(level)) return;
    const window = await measureCalls(tools, subject, { ...PASSING, seconds: extent.seconds });
    cpuUsPerCall.set(level, window.cpuUsPerCall);
    bench.say(`${subject.name}, ${level} wait: ${Math.round(window.cpuUsPerCall)} µs a call`);
  };

  await cost(PASSING_WAIT);
  const held = await holdCalls(tools, subject);
  const before = resident(subject);
  for (const level of LEVELS) {
    await held.fillTo(level);
    await sleepUntil(now() + REST_MS);
    const bytes = (resident(subject) - before) / level;
    bytesPerCall.set(level, bytes);
    bench.say(`${subject.name}, ${level} wait: ${(bytes / 1024).toFixed(1)} KiB a call`);
    await cost(level);
  }
  const left = await held.waiting();
  if (left < (LEVELS.at(-1) ?? 0))
    throw new Error(`${subject.name}: only ${left} calls still waited in the end`);
  await held.release();
  return { bytesPerCall, cpuUsPerCall };
};

/** Memory of all processes; NaN where they cannot be looked at. */
const resident = ({ pids }: Subject): number =>
  pids.length === 0 ? Number.NaN : pids.reduce((sum, pid) => sum + residentBytes(pid), 0);

const figuresOf = (
  bench: Bench,
  rounds: readonly { readonly value: Climb; readonly baseline: Climb }[],
): readonly Figure[] => {
  const pairs = (of: (one: Climb) => number) =>
    rounds.map(({ value, baseline }) => ({ value: of(value), baseline: of(baseline) }));
  const { costAt } = bench.extent.waiting;
  const growth = ({ cpuUsPerCall }: Climb, level: number): number =>
    (cpuUsPerCall.get(level) ?? Number.NaN) / (cpuUsPerCall.get(PASSING_WAIT) ?? Number.NaN);
  return [
    ...LEVELS.map((level) =>
      figure(
        {
          name: `waiting.memory.${level}`,
          title: `resident memory a waiting call, ${level} wait`,
          unit: 'KiB',
          ...(level === 15_000 ? { target: { of: 'ratio', atMost: 1.4 } as const } : {}),
        },
        pairs(({ bytesPerCall }) => (bytesPerCall.get(level) ?? Number.NaN) / 1024),
      ),
    ),
    ...costAt.map((level) =>
      figure(
        { name: `waiting.cpu.${level}`, title: `processor time a call, ${level} wait`, unit: 'µs' },
        pairs(({ cpuUsPerCall }) => cpuUsPerCall.get(level) ?? Number.NaN),
      ),
    ),
    ...costAt.slice(1).map((level) =>
      figure(
        {
          name: `waiting.growth.${level}`,
          title: `cost of a call, ${level} waiting by ${PASSING_WAIT} waiting`,
          unit: '',
          target: { of: 'value', atMost: 1.15 },
        },
        pairs((one) => growth(one, level)),
      ),
    ),
  ];
};
