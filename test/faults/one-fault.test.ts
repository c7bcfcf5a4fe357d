import assert from 'node:assert/strict';
import { it } from 'node:test';
import { until } from '../../harness/until.ts';
import type { FaultScope } from '../../src/sandbox/faults.ts';
import { margin } from '../helpers/margin.ts';
import { startTestService, type TestService } from '../helpers/test-service.ts';
import { type FaultRow, QUICK_FAULTS, SILENT_FAULTS } from './fault-table.ts';
import { watchForLeftovers } from './nothing-left.ts';
import { KINDS, standIn } from './stand-in.ts';

/** Rows that are tried with one service, and how long its calls wait. */
const GROUPS = [
  { rows: QUICK_FAULTS, waitMs: 4_000, atDeadline: false },
  { rows: SILENT_FAULTS, waitMs: 1_500, atDeadline: true },
] as const;

type Group = (typeof GROUPS)[number];

async function checkRow(
  service: TestService,
  kind: (typeof KINDS)[number],
  row: FaultRow,
  group: Group,
): Promise<number> {
  const server = standIn(service, kind);
  const phone = await service.phone({ kind });
  const before = server.requests.count();
  const scope: FaultScope = { times: row.times ?? 1, ...(row.delivered === true ? { delivered: true } : {}) };
  server.script(row.fault, { token: phone.token, ...scope });

  const { outcome, body, tookMs } = await service.ask({ account: phone.account });
  assert.equal(outcome, row.outcome);
  assert.equal(body, outcome === 'ready' ? 'status=ACK' : 'status=NAK');
  const { waitMs, atDeadline } = group;
  const least = atDeadline ? waitMs - 10 : (row.atLeast ?? 0);
  const most = atDeadline ? waitMs + margin(1_500) : waitMs - 100;
  assert.ok(tookMs >= least && tookMs < most, `the call took ${tookMs} ms`);
  if (row.asked !== undefined) assert.equal(server.requests.count() - before, row.asked);
  if (row.pushed !== undefined) assert.equal(phone.pushes(), row.pushed);
  else assert.ok(phone.pushes() > 0);
  const ids = server.requests.list().slice(-2);
  if (kind === 'ios' && row.asked === 2)
    assert.equal(ids[0]?.headers['apns-id'], ids[1]?.headers['apns-id'], 'the same push keeps its id');

  server.clearFaults();
  server.restore();
  await until(async () => {
    const next = await service.ask({ account: phone.account });
    // A connection that was being made while nobody answered has to fail first.
    if (row.fault.kind !== 'mute') assert.equal(next.outcome, 'ready', 'the next call rings');
    return next.outcome === 'ready';
  }, 'calls ring again');
  await until(() => service.running.waiting() === 0, 'no call waits');
  return tookMs;
}

const nothingLeft = watchForLeftovers();

it('one fault of a push service while a call waits', { concurrency: true }, async (t) => {
  const run = (kind: (typeof KINDS)[number], group: Group) =>
    t.test(
      `${kind === 'ios' ? 'Apple' : 'Google'}: ${group.atDeadline ? 'NAK at the deadline' : 'no need to wait for the deadline'}`,
      async (sub) => {
        // One push a call: what saves it is the channel or the sender, never a resend.
        const wait = String(group.waitMs);
        const service = await startTestService(sub, {
          settings: { APP_PUSH_ROUNDTRIP_WAIT: wait, APP_PUSH_RESEND_INTERVAL: wait },
        });
        for (const row of group.rows) {
          await sub.test(`${row.name}: ${row.outcome}`, async (inner) => {
            inner.diagnostic(`${Math.round(await checkRow(service, kind, row, group))} ms`);
          });
        }
      },
    );
  await Promise.all(KINDS.flatMap((kind) => GROUPS.map((group) => run(kind, group))));
});

nothingLeft();
