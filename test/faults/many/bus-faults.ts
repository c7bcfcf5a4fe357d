import { until } from '../../../harness/until.ts';
import { monotonic } from '../../../src/lib/monotonic.ts';
import type { CallRecord } from './call-record.ts';
import type { FaultCase, Impact, Scene } from './fault-case.ts';
import { pause } from './pause.ts';

const OUTAGE_MS = 3_000;
/** How long instances may take to find Redis again, and to tell it and each other what they hold. */
const SETTLED_AFTER_MS = 4_000;

/**
 * While Redis is away an answer counts at the instance that waits; one that lands elsewhere is 503 there, and the app's
 * load balancer carries it on. So every call ends as its phone says. Only PBXs that ask two instances for the same call
 * are on their own: the phone answers one of them. And of an app that says two things, the instance that waits takes
 * the one that it hears first, though another instance may have heard the other one before.
 */
async function withoutRedis(during: () => Promise<void>): Promise<Impact> {
  const from = monotonic();
  await during();
  const to = monotonic() + SETTLED_AFTER_MS;
  return {
    apart: (call) => call.legs.length > 1 && call.askedAt < to && heardAfter(call, from),
    contested: ({ habit, answers }) =>
      habit !== 'once' && answers.some(({ at, endedAt }) => endedAt > from && at < to),
  };
}

function heardAfter({ legs }: CallRecord, time: number): boolean {
  return legs.some(({ asks }) => asks.some(({ endedAt }) => endedAt > time));
}

function killed({ bus }: Scene): Promise<Impact> {
  return withoutRedis(async () => {
    await bus.redis().kill();
    await pause(OUTAGE_MS);
    await bus.redis().start();
  });
}

function paused({ bus }: Scene): Promise<Impact> {
  return withoutRedis(async () => {
    await bus.redis().pause();
    await pause(OUTAGE_MS);
    bus.redis().resume();
  });
}

/** A master is gone for good: its replica takes over after the Cluster's node timeout of two seconds. */
async function failedOver({ bus }: Scene): Promise<Impact> {
  const cluster = bus.cluster();
  const key = 'whichever';
  let killed: { start(): Promise<void> } | undefined;
  const impact = await withoutRedis(async () => {
    killed = await cluster.killMasterOf(key);
    await until(
      () =>
        cluster.masterOf(key).then(
          () => true,
          () => false,
        ),
      'a replica has taken over',
    );
  });
  await pause(1_000);
  return {
    ...impact,
    // The link to a server that is no master any more is kept for a minute: it may be redirected to again.
    mayKeep: { 'sockets: Redis': 1, 'resources: Timeout': 1, 'resources: TCPSocketWrap': 1 },
    heal: async () => {
      await killed?.start();
      await cluster.settled();
    },
  };
}

/** An instance that is cut off falls silent: what the other one does not know may wait there. */
function cut({ bus }: Scene): Promise<Impact> {
  return withoutRedis(async () => {
    bus.network().blackhole();
    await pause(OUTAGE_MS);
    bus.network().heal();
  });
}

const usual = { instances: 2, database: 'PostgreSQL' } as const;

/** What can happen to what stands between the instances. */
export const BUS_FAULTS: readonly FaultCase[] = [
  { ...usual, name: 'Redis killed and restarted', bus: 'Redis', strike: killed },
  { ...usual, name: 'Redis paused', bus: 'Redis', strike: paused },
  { ...usual, name: 'Redis Cluster failover', bus: 'Redis Cluster', strike: failedOver },
  { ...usual, name: 'network cut from Redis', bus: 'Redis by proxy', strike: cut },
];
