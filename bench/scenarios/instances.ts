import { type CallWindow, measureCalls } from '../calls/measure-calls.ts';
import type { Pair } from '../report/figure.ts';
import { type Backing, startBacking } from '../subjects/start-backing.ts';
import type { Subject } from '../subjects/subject.ts';
import { tellCalls } from './calls.ts';
import { type Bench, defineScenario, type RoundsOf } from './scenario.ts';
import { highestRate } from './sustained.ts';

/** What the servers behind the instances did for one call. */
interface Load {
  readonly redisUs: number;
  readonly databaseUs: number;
  /** Commands that the instances sent: scripts and messages. */
  readonly sent: number;
  /** Commands that the scripts ran. */
  readonly inScripts: number;
}

interface Round {
  readonly limit: CallWindow;
  readonly one: CallWindow & Load;
  readonly two: CallWindow & Load;
}

interface Rates {
  readonly limit: number;
  readonly one: number;
  readonly two: number;
}

const against = 'one instance';
const FIGURES = {
  'calls.cpu.shared': {
    title: 'processor time a call, PostgreSQL and Redis',
    unit: 'µs',
    target: { of: 'ratio', atMost: 2.5 },
  },
  'calls.ack-delay.shared.p50': {
    title: "app's answer → PBX's ACK, PostgreSQL and Redis, p50",
    unit: 'ms',
  },
  'calls.ack-delay.shared.p99': {
    title: "app's answer → PBX's ACK, PostgreSQL and Redis, p99",
    unit: 'ms',
  },
  'calls.ack-delay.shared.p999': {
    title: "app's answer → PBX's ACK, PostgreSQL and Redis, p99.9",
    unit: 'ms',
  },
  'sustained.calls.shared': {
    title: 'calls a second, sustained, PostgreSQL and Redis',
    unit: '1/s',
  },
  'instances.calls': { title: 'calls a second, sustained, two instances', unit: '1/s', against },
  'instances.calls.limit': { title: 'calls a second, sustained, two instances', unit: '1/s' },
  'instances.ack-delay.p50': { title: "app's answer → PBX's ACK, two instances, p50", unit: 'ms', against },
  'instances.ack-delay.p99': { title: "app's answer → PBX's ACK, two instances, p99", unit: 'ms', against },
  'instances.ack-delay.p999': {
    title: "app's answer → PBX's ACK, two instances, p99.9",
    unit: 'ms',
    against,
  },
  'instances.cpu': { title: 'processor time a call, two instances together', unit: 'µs', against },
  'instances.redis.sent': { title: 'Redis commands a call, two instances', unit: '', against },
  'instances.redis.in-scripts': {
    title: 'commands that scripts ran in Redis a call, two instances',
    unit: '',
    against,
  },
  'instances.redis.cpu': { title: "Redis' processor time a call, one instance", unit: 'µs' },
  'instances.database.cpu': { title: "PostgreSQL's processor time a call, one instance", unit: 'µs' },
} as const;

/** Several instances on one database and one Redis. */
export const instances = defineScenario({
  name: 'instances',
  ofAnyService: false,
  about: 'one and two instances on PostgreSQL and Redis: cost, delays, calls/s, Redis commands a call',
  figures: FIGURES,
  prepare: async (bench, running) => {
    const starting = startBacking();
    const limit = await bench.limit();
    const backing = running.adopt(await starting, (each) => each.close());
    const start = async (count: number): Promise<Subject> =>
      bench.newService(running, {
        name: count === 1 ? 'one instance' : 'two instances',
        instances: count,
        databaseUrl: await backing.createDatabase(),
        redisUrl: backing.redisUrl,
      });
    const [one, two] = await Promise.all([start(1), start(2)]);
    return () => measure(bench, backing, { limit, one, two });
  },
});

async function measure(
  bench: Bench,
  backing: Backing,
  { limit, one, two }: Record<keyof Round, Subject>,
): Promise<RoundsOf<typeof FIGURES>> {
  for (const subject of [limit, one, two]) await bench.warmUp(subject);
  const { twoThousand, seconds, rounds: count } = bench.extent;
  const window = async (subject: Subject, round: number): Promise<CallWindow & Load> => {
    const measured = await withLoad(backing, () =>
      measureCalls(bench.tools, subject, { ...twoThousand, seconds }),
    );
    tellCalls(bench, `round ${round}, ${subject.name}`, measured);
    return measured;
  };
  const rounds: Round[] = [];
  const rates: Rates[] = [];
  for (let round = 1; round <= count; round += 1) {
    rounds.push({
      limit: await window(limit, round),
      one: await window(one, round),
      two: await window(two, round),
    });
  }
  for (let round = 1; round <= bench.extent.stairs.rounds; round += 1) {
    rates.push({
      limit: await highestRate(bench, limit),
      one: await highestRate(bench, one),
      two: await highestRate(bench, two),
    });
  }
  return roundsOf(rounds, rates);
}

async function withLoad(backing: Backing, measure: () => Promise<CallWindow>): Promise<CallWindow & Load> {
  const read = async () => ({
    redis: backing.redisCpuMs(),
    database: backing.databaseCpuMs(),
    commands: await backing.redisCommands(),
  });
  const before = await read();
  const window = await measure();
  const after = await read();
  const counts = [...after.commands].map(([name, calls]) => ({
    name,
    calls: calls - (before.commands.get(name) ?? 0),
  }));
  const sum = (own: boolean): number =>
    counts.filter(({ name }) => SENT.has(name) === own).reduce((total, { calls }) => total + calls, 0);
  return {
    ...window,
    redisUs: ((after.redis - before.redis) * 1_000) / window.total,
    databaseUs: ((after.database - before.database) * 1_000) / window.total,
    sent: sum(true) / window.total,
    inScripts: sum(false) / window.total,
  };
}

/** What an instance sends; everything else is run by its scripts, or by the bench (a handful of INFO). */
const SENT: ReadonlySet<string> = new Set(['evalsha', 'eval', 'publish', 'ping', 'spublish']);

function roundsOf(rounds: readonly Round[], rates: readonly Rates[]): RoundsOf<typeof FIGURES> {
  const byLimit = (of: (window: CallWindow) => number): readonly Pair[] =>
    rounds.map(({ one, limit }) => ({ value: of(one), baseline: of(limit) }));
  const byOne = (of: (window: CallWindow & Load) => number): readonly Pair[] =>
    rounds.map(({ one, two }) => ({ value: of(two), baseline: of(one) }));
  /** The servers' work beside that of the limit: the limit has no servers. */
  const loadByLimit = (of: (load: Load) => number): readonly Pair[] =>
    rounds.map(({ one, limit }) => ({ value: of(one), baseline: limit.cpuUsPerCall }));
  return {
    'calls.cpu.shared': byLimit((window) => window.cpuUsPerCall),
    'calls.ack-delay.shared.p50': byLimit((window) => window.ackDelay.p50),
    'calls.ack-delay.shared.p99': byLimit((window) => window.ackDelay.p99),
    'calls.ack-delay.shared.p999': byLimit((window) => window.ackDelay.p999),
    'sustained.calls.shared': rates.map(({ one, limit }) => ({ value: one, baseline: limit })),
    'instances.calls': rates.map(({ one, two }) => ({ value: two, baseline: one })),
    'instances.calls.limit': rates.map(({ two, limit }) => ({ value: two, baseline: limit })),
    'instances.ack-delay.p50': byOne((window) => window.ackDelay.p50),
    'instances.ack-delay.p99': byOne((window) => window.ackDelay.p99),
    'instances.ack-delay.p999': byOne((window) => window.ackDelay.p999),
    'instances.cpu': byOne((window) => window.cpuUsPerCall),
    'instances.redis.sent': byOne(({ sent }) => sent),
    'instances.redis.in-scripts': byOne(({ inScripts }) => inScripts),
    'instances.redis.cpu': loadByLimit(({ redisUs }) => redisUs),
    'instances.database.cpu': loadByLimit(({ databaseUs }) => databaseUs),
  };
}
