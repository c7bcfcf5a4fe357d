import { type HeldCalls, holdCalls } from '../calls/hold-calls.ts';
import { measureCalls } from '../calls/measure-calls.ts';
import { now, sleepUntil } from '../lib/clock.ts';
import { residentBytes } from '../lib/process-figures.ts';
import type { Pair } from '../report/figure.ts';
import type { Subject } from '../subjects/subject.ts';
import { type Bench, defineScenario, type RoundsOf } from './scenario.ts';

const LEVELS = [1_000, 5_000, 15_000] as const;
/** Calls that come while others wait: a hundred of them wait at a time. */
const PASSING = { perSecond: 500, wakeMs: 200 } as const;
const PASSING_WAIT = (PASSING.perSecond * PASSING.wakeMs) / 1_000;
/** Until what was needed only to begin a call is done with. */
const REST_MS = 300;

/** One subject in one round, by the number of calls that waited. */
interface Found {
  readonly bytesPerCall: ReadonlyMap<number, number>;
  readonly cpuUsPerCall: ReadonlyMap<number, number>;
}

const MEMORY = { title: 'resident memory a waiting call', unit: 'KiB' } as const;
const GROWTH = { unit: '', target: { of: 'value', atMost: 1.15 } } as const;
const FIGURES = {
  'waiting.memory.1000': { ...MEMORY, title: `${MEMORY.title}, 1,000 wait` },
  'waiting.memory.5000': { ...MEMORY, title: `${MEMORY.title}, 5,000 wait` },
  'waiting.memory.15000': {
    ...MEMORY,
    title: `${MEMORY.title}, 15,000 wait`,
    target: { of: 'ratio', atMost: 1.4 },
  },
  'waiting.cpu.100': { title: 'processor time a call, 100 wait', unit: 'µs' },
  'waiting.cpu.5000': { title: 'processor time a call, 5,000 more wait', unit: 'µs' },
  'waiting.cpu.15000': { title: 'processor time a call, 15,000 more wait', unit: 'µs' },
  'waiting.growth.5000': { ...GROWTH, title: 'cost of a call, 5,000 waiting by 100 waiting' },
  'waiting.growth.15000': { ...GROWTH, title: 'cost of a call, 15,000 waiting by 100 waiting' },
} as const;

/** What a call costs that only waits, and what the others cost meanwhile. */
export const waiting = defineScenario({
  name: 'waiting',
  ofAnyService: true,
  about: 'memory of a call that waits, and the cost of another call, while up to 15,000 wait',
  figures: FIGURES,
  prepare: async (bench, running) => {
    const first = await Promise.all([bench.limit(), bench.service()]);
    return () => measure(bench, running, first);
  },
});

async function measure(
  bench: Bench,
  running: AsyncDisposableStack,
  first: readonly [Subject, Subject],
): Promise<RoundsOf<typeof FIGURES>> {
  const rounds: { value: Found; baseline: Found }[] = [];
  for (let round = 1; round <= bench.extent.waiting.rounds; round += 1) {
    // A process that has worked for a while has memory to spare, and the first calls that wait would seem to need none.
    const [limit, service] =
      round === 1 ? first : await Promise.all([bench.newLimit(running), bench.newService(running)]);
    const [baseline, value] = await letWait(bench, [limit, service]);
    rounds.push({ value, baseline });
    if (bench.extent.waiting.isWarmUp) for (const subject of [limit, service]) bench.isWarm(subject);
  }
  return roundsOf(rounds);
}

interface Waiter {
  readonly subject: Subject;
  readonly held: HeldCalls;
  readonly bytesPerCall: Map<number, number>;
  readonly cpuUsPerCall: Map<number, number>;
}

/**
 * Lets calls wait at both at the same time, which does not change their memory, and looks at others in turn: first while
 * the most wait, since by then everything is hot; while the fewest do when nothing is left of those; and while some wait
 * that came after that. What becomes of the memory of ten thousand calls that have just gone is not a cost of those that
 * come.
 */
async function letWait(
  bench: Bench,
  [limit, service]: readonly [Subject, Subject],
): Promise<readonly [Found, Found]> {
  const waiter = (subject: Subject): Waiter => ({
    subject,
    held: holdCalls(bench.tools, subject),
    bytesPerCall: new Map(),
    cpuUsPerCall: new Map(),
  });
  const [one, other] = [waiter(limit), waiter(service)];
  await Promise.all([fill(bench, one), fill(bench, other)]);
  const { seconds, warmSeconds, clearSeconds } = bench.extent.waiting;
  const passing = (each: Waiter, length: number) =>
    measureCalls(bench.tools, each.subject, { ...PASSING, seconds: length });
  const look = async (level: number): Promise<void> => {
    for (const each of [one, other]) {
      const { cpuUsPerCall } = await passing(each, seconds);
      each.cpuUsPerCall.set(level, cpuUsPerCall);
      bench.say(`${each.subject.name}, ${level} wait: ${Math.round(cpuUsPerCall)} µs a call`);
    }
  };
  const bothPass = (length: number) => Promise.all([passing(one, length), passing(other, length)]);
  await bothPass(warmSeconds);
  await look(15_000);
  for (const each of [one, other]) await each.held.releaseTo(0);
  await bothPass(clearSeconds);
  await look(PASSING_WAIT);
  await Promise.all([one.held.fillTo(5_000), other.held.fillTo(5_000)]);
  await bothPass(warmSeconds);
  await look(5_000);
  for (const each of [one, other]) await each.held.releaseTo(0);
  return [one, other];
}

async function fill({ say }: Bench, { subject, held, bytesPerCall }: Waiter): Promise<void> {
  const before = resident(subject);
  for (const level of LEVELS) {
    await held.fillTo(level);
    await sleepUntil(now() + REST_MS);
    const bytes = (resident(subject) - before) / level;
    bytesPerCall.set(level, bytes);
    say(`${subject.name}, ${level} wait: ${(bytes / 1024).toFixed(1)} KiB a call`);
  }
}

/** Memory of all processes; NaN where they cannot be looked at. */
function resident({ pids }: Subject): number {
  return pids.length === 0 ? Number.NaN : pids.reduce((sum, pid) => sum + residentBytes(pid), 0);
}

function roundsOf(
  rounds: readonly { readonly value: Found; readonly baseline: Found }[],
): RoundsOf<typeof FIGURES> {
  const pairs = (of: (one: Found) => number): readonly Pair[] =>
    rounds.map(({ value, baseline }) => ({ value: of(value), baseline: of(baseline) }));
  const memory = (level: number) => pairs(({ bytesPerCall }) => at(bytesPerCall, level) / 1024);
  const cost = (level: number) => pairs(({ cpuUsPerCall }) => at(cpuUsPerCall, level));
  const growth = (level: number) =>
    pairs(({ cpuUsPerCall }) => at(cpuUsPerCall, level) / at(cpuUsPerCall, PASSING_WAIT));
  return {
    'waiting.memory.1000': memory(1_000),
    'waiting.memory.5000': memory(5_000),
    'waiting.memory.15000': memory(15_000),
    'waiting.cpu.100': cost(PASSING_WAIT),
    'waiting.cpu.5000': cost(5_000),
    'waiting.cpu.15000': cost(15_000),
    'waiting.growth.5000': growth(5_000),
    'waiting.growth.15000': growth(15_000),
  };
}

function at(found: ReadonlyMap<number, number>, level: number): number {
  return found.get(level) ?? Number.NaN;
}
