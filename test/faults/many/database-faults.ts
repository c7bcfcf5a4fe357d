import type { DatabaseKind } from '../../../harness/find-server.ts';
import { monotonic } from '../../../src/lib/monotonic.ts';
import type { CallRecord } from './call-record.ts';
import type { FaultCase, Impact, Scene } from './fault-case.ts';
import { pause } from './pause.ts';
import { TOLERANCE_MS } from './verdict.ts';

const OUTAGE_MS = 2_500;
/** What the issue allows: a PBX hears that the database cannot be asked within a second. */
const TOLD_WITHIN_MS = 1_000;
/** Requests that were on their way when the server went, and the first ones after it came back. */
const EDGE_MS = 500;

/**
 * Calls that already wait do not need the database. One that is asked while it is away is NAK with
 * `storage-unavailable`, unless it began or ended at the edges of the outage.
 */
async function outage(during: () => Promise<void>): Promise<Impact> {
  const from = monotonic();
  await during();
  const to = monotonic();
  return {
    allowance: (_call, { at }) => (at > from - EDGE_MS && at < to + EDGE_MS ? ['storage-unavailable'] : []),
    check: (calls) => {
      const asked = calls.filter(({ askedAt }) => askedAt > from + EDGE_MS && askedAt < to - TOLD_WITHIN_MS);
      return [
        ...(asked.length === 0 ? ['no call was asked while the database was away'] : []),
        ...asked.flatMap(outageProblem),
      ];
    },
  };
}

function outageProblem({ callId, legs }: CallRecord): readonly string[] {
  const ask = legs[0]?.asks[0];
  if (ask?.answer?.outcome !== 'storage-unavailable')
    return [`${callId} was asked while the database was away and ended as ${ask?.answer?.outcome}`];
  const took = Math.round(ask.endedAt - ask.at);
  return took > TOLD_WITHIN_MS + TOLERANCE_MS ? [`${callId} heard of the outage after ${took} ms`] : [];
}

function killed({ database }: Scene): Promise<Impact> {
  return outage(async () => {
    await database.kill();
    await pause(OUTAGE_MS);
    await database.start();
  });
}

function paused({ database }: Scene): Promise<Impact> {
  return outage(async () => {
    await database.process.pause();
    await pause(OUTAGE_MS);
    database.process.resume();
  });
}

function onEach(name: string, strike: FaultCase['strike']): readonly FaultCase[] {
  return (['PostgreSQL', 'MariaDB'] as const satisfies readonly DatabaseKind[]).map((database) => ({
    name: `${database} ${name}`,
    instances: 2,
    database,
    bus: 'Redis',
    settings: { DATABASE_TIMEOUT: '800' },
    strike,
  }));
}

/** What can happen to the database. */
export const DATABASE_FAULTS: readonly FaultCase[] = [
  ...onEach('killed and restarted', killed),
  ...onEach('paused', paused),
];
