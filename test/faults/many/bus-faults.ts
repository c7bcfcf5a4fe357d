import { monotonic } from '../../../src/lib/monotonic.ts';
import type { CallRecord } from './call-record.ts';
import type { FaultCase, Impact, Scene } from './fault-case.ts';
import { pause } from './pause.ts';

const OUTAGE_MS = 3_000;
/** How long instances may take to notice that Redis went, and that it is back. */
const EDGE_MS = 3_000;

/**
 * While Redis is away an answer counts at the instance that waits; one that lands elsewhere is 503 there, and the app's
 * load balancer carries it on. So every call ends as its phone says. Only PBXs that ask two instances for the same call
 * are on their own: the phone answers one of them.
 */
const withoutRedis = async (during: () => Promise<void>): Promise<Impact> => {
  const from = monotonic();
  await during();
  const to = monotonic() + EDGE_MS;
  const apart = ({ legs, askedAt, answers }: CallRecord): boolean =>
    legs.length > 1 &&
    askedAt < to &&
    (answers.length === 0 || answers.some(({ endedAt }) => endedAt > from));
  return { apart };
};

const killed = ({ bus }: Scene): Promise<Impact> =>
  withoutRedis(async () => {
    await bus.redis().kill();
    await pause(OUTAGE_MS);
    await bus.redis().start();
  });

const paused = ({ bus }: Scene): Promise<Impact> =>
  withoutRedis(async () => {
    bus.redis().pause();
    await pause(OUTAGE_MS);
    bus.redis().resume();
  });

const usual = { instances: 2, database: 'PostgreSQL', bus: 'Redis' } as const;

/** What can happen to what stands between the instances. */
export const BUS_FAULTS: readonly FaultCase[] = [
  { ...usual, name: 'Redis killed and restarted', strike: killed },
  { ...usual, name: 'Redis paused', strike: paused },
];
