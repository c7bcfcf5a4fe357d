import { type CallWindow, measureCalls } from '../calls/measure-calls.ts';
import { type Figure, figure, type Pair } from '../report/figure.ts';
import { type Backing, startBacking } from '../subjects/start-backing.ts';
import type { Subject } from '../subjects/subject.ts';
import { tellCalls } from './calls.ts';
import type { Bench, Scenario } from './scenario.ts';
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

/** Several instances on one database and one Redis. */
export const instances: Scenario = {
  name: 'instances',
  ofAnyService: false,
  about: 'one and two instances on PostgreSQL and Redis: cost, delays, calls/s, Redis commands a call',
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
};

const measure = async (
  bench: Bench,
  backing: Backing,
  { limit, one, two }: Record<keyof Round, Subject>,
): Promise<readonly Figure[]> => {
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
  for (let round = 1; round <= count; round += 1) {
    rates.push({
      limit: await highestRate(bench, limit),
      one: await highestRate(bench, one),
      two: await highestRate(bench, two),
    });
  }
  return figuresOf(rounds, rates);
};

const withLoad = async (backing: Backing, measure: () => Promise<CallWindow>): Promise<CallWindow & Load> => {
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
};

/** What an instance sends; everything else is run by its scripts, or by the bench (a handful of INFO). */
const SENT: ReadonlySet<string> = new Set(['evalsha', 'eval', 'publish', 'ping', 'spublish']);

const figuresOf = (rounds: readonly Round[], rates: readonly Rates[]): readonly Figure[] => {
  const againstLimit = (of: (window: CallWindow) => number): readonly Pair[] =>
    rounds.map(({ one, limit }) => ({ value: of(one), baseline: of(limit) }));
  const againstOne = (of: (window: CallWindow & Load) => number): readonly Pair[] =>
    rounds.map(({ one, two }) => ({ value: of(two), baseline: of(one) }));
  const loadByLimit = (of: (load: Load) => number): readonly Pair[] =>
    rounds.map(({ one, limit }) => ({ value: of(one), baseline: limit.cpuUsPerCall }));
  const against = 'one instance';
  return [
    figure(
      {
        name: 'calls.cpu.shared',
        title: 'processor time a call, PostgreSQL and Redis',
        unit: 'µs',
        target: { of: 'ratio', atMost: 2.5 },
      },
      againstLimit((window) => window.cpuUsPerCall),
    ),
    ...(['p50', 'p99', 'p999'] as const).map((part) =>
      figure(
        {
          name: `calls.ack-delay.shared.${part}`,
          title: `app's answer → PBX's ACK, PostgreSQL and Redis, ${part}`,
          unit: 'ms',
        },
        againstLimit((window) => window.ackDelay[part]),
      ),
    ),
    figure(
      {
        name: 'sustained.calls.shared',
        title: 'calls a second, sustained, PostgreSQL and Redis',
        unit: '1/s',
      },
      rates.map(({ one, limit }) => ({ value: one, baseline: limit })),
    ),
    figure(
      { name: 'instances.calls', title: 'calls a second, sustained, two instances', unit: '1/s', against },
      rates.map(({ one, two }) => ({ value: two, baseline: one })),
    ),
    figure(
      {
        name: 'instances.calls.limit',
        title: 'calls a second, sustained, two instances',
        unit: '1/s',
      },
      rates.map(({ two, limit }) => ({ value: two, baseline: limit })),
    ),
    ...(['p50', 'p99', 'p999'] as const).map((part) =>
      figure(
        {
          name: `instances.ack-delay.${part}`,
          title: `app's answer → PBX's ACK, two instances, ${part}`,
          unit: 'ms',
          against,
        },
        againstOne((window) => window.ackDelay[part]),
      ),
    ),
    figure(
      { name: 'instances.cpu', title: 'processor time a call, two instances together', unit: 'µs', against },
      againstOne((window) => window.cpuUsPerCall),
    ),
    figure(
      { name: 'instances.redis.sent', title: 'Redis commands a call, two instances', unit: '', against },
      againstOne(({ sent }) => sent),
    ),
    figure(
      {
        name: 'instances.redis.in-scripts',
        title: 'commands that scripts ran in Redis a call, two instances',
        unit: '',
        against,
      },
      againstOne(({ inScripts }) => inScripts),
    ),
    figure(
      { name: 'instances.redis.cpu', title: "Redis' processor time a call, one instance", unit: 'µs' },
      loadByLimit(({ redisUs }) => redisUs),
    ),
    figure(
      {
        name: 'instances.database.cpu',
        title: "PostgreSQL's processor time a call, one instance",
        unit: 'µs',
      },
      loadByLimit(({ databaseUs }) => databaseUs),
    ),
  ];
};
