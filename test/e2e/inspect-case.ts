import { watchMachine } from '../../harness/machine-load.ts';
import { until, WaitedInVain } from '../../harness/until.ts';
import type { TriedRow } from '../helpers/retries.ts';
import { faultsOfFlow, flowsOf } from './call-flow.ts';
import type { CallsMade } from './caller.ts';
import type { CaseRun, E2eCase } from './e2e-case.ts';
import { type Rung, rungsOf } from './ladder.ts';
import { faultsOfPhones, faultsOfPushes } from './phone-faults.ts';
import { SETTLED_MS } from './settled-ms.ts';
import type { Stage } from './stage.ts';

/** What a case came to. */
export interface CaseResult extends TriedRow {
  readonly stage: string;
  readonly calls: number;
  readonly heard: string;
  readonly outcomes: string;
  readonly pushes: number;
  /** From the caller's INVITE to the phone's, of each call that reached one, milliseconds. */
  readonly releasedMs: readonly number[];
  /** From the app's "ready" to the INVITE at its phone, milliseconds. */
  readonly readyMs: readonly number[];
  readonly tookMs: number;
  /** Everything that was said, of the case that is shown as a ladder. */
  readonly rungs: readonly Rung[] | undefined;
}

/** An iPhone gives up when no INVITE comes so soon after it said that it is ready. */
const INVITE_WITHIN_MS = 2_000;
/** How Kamailio logs what should not be. */
const TROUBLE = /\b(WARNING|ERROR|CRITICAL|ALERT|BUG)\b/;

/** Runs a case and looks at everything that took part in it. A case that throws has failed, too. */
export async function inspectCase(stage: Stage, theCase: E2eCase): Promise<CaseResult> {
  const startedAt = performance.now();
  const othersShare = watchMachine();
  const before = await countsOf(stage);
  const piecesBefore = stage.tap.pieces().length;
  const logBefore = stage.kamailio.log().length;
  const problems: string[] = [];
  const late: string[] = [];
  const take = (error: unknown) =>
    (error instanceof WaitedInVain ? late : problems).push(
      error instanceof Error ? error.message : String(error),
    );
  let run: CaseRun = { made: [], phones: [] };
  try {
    run = await theCase.run(stage);
  } catch (error) {
    take(error);
  }
  problems.push(...(run.problems ?? []));
  problems.push(...run.made.flatMap(({ fault }) => fault ?? []));
  problems.push(...(await faultsOfPhones(run, theCase.takenBy === undefined)));

  const flows = await settledFlows(stage, theCase, run.made);
  problems.push(...flows.flatMap(({ faults }) => faults));
  const called = run.made.reduce((count, { accounts }) => count + accounts.length, 0);
  if (flows.length !== called) problems.push(`Kamailio saw ${flows.length} calls; expected: ${called}`);
  const released = flows.filter(
    ({ made, flow }) => made.scenario.kind === 'answered' && flow.releasedAt !== undefined,
  );
  const readyMs = released.flatMap(({ flow, phone }) => {
    const readyAt = phone?.diary.answeredAt[0];
    return readyAt === undefined ? [] : [(flow.releasedAt ?? 0) - readyAt];
  });
  if (readyMs.some((ms) => ms < 0)) problems.push('an INVITE was sent before its app had answered');
  if (readyMs.some((ms) => ms > INVITE_WITHIN_MS)) late.push('an INVITE came later than iOS waits for it');

  const nobodyWaits = async () => (await countsOf(stage)).waiting === 0;
  await until(nobodyWaits, 'no call waits any more', SETTLED_MS).catch(take);
  const after = await countsOf(stage);
  const pushes = after.pushes - before.pushes;
  const outcomes = new Map(
    [...after.outcomes].map(([outcome, count]) => [outcome, count - (before.outcomes.get(outcome) ?? 0)]),
  );
  const told = textOf(outcomes);
  problems.push(...faultsOfCounts(theCase, { outcomes: told, pushes }));
  if (theCase.pushes === 'one a call') {
    for (const { phone, flow } of flows) {
      if (phone !== undefined) problems.push(...faultsOfPushes(phone, flow.invitedAt));
    }
  }
  if (after.failed > 0) problems.push(`a bug of the service spoilt ${after.failed} requests`);
  const trouble = stage.kamailio
    .log()
    .slice(logBefore)
    .split('\n')
    .filter((line) => TROUBLE.test(line) && theCase.mayLog?.test(line) !== true);
  problems.push(...trouble.map((line) => `Kamailio: ${line}`));
  await Promise.all(run.phones.map((phone) => phone.close()));
  return {
    name: theCase.name,
    stage: stage.variant,
    calls: flows.length,
    heard:
      [...new Set(run.made.map(heardIn))].join(', ') + (theCase.takenBy === undefined ? '' : ' of voicemail'),
    outcomes: told || 'not asked',
    pushes,
    releasedMs: released.map(({ flow }) => (flow.releasedAt ?? 0) - (flow.invitedAt ?? 0)),
    readyMs,
    problems: [...problems, ...late],
    lateness: late.length,
    tookMs: performance.now() - startedAt,
    othersShare: othersShare(),
    rungs: theCase.isLadder === true ? ladderOf(stage, run, piecesBefore) : undefined,
  };
}

function ladderOf(stage: Stage, { made, phones }: CaseRun, piecesBefore: number) {
  const [phone] = phones;
  if (phone === undefined) return undefined;
  const address = phone.softPhone()?.address;
  const callIds = made.map((calls) => calls.callIds);
  const messages = stage.kamailio.messages().filter(({ callId, method, from, to }) => {
    if (method === 'REGISTER') return from === address || to === address;
    return callIds.some((start) => callId.startsWith(start));
  });
  return rungsOf({ messages, pieces: stage.tap.pieces().slice(piecesBefore), phone, network: stage.network });
}

function heardIn({ scenario }: CallsMade): string {
  if (scenario.kind === 'refused') return String(scenario.code);
  return scenario.kind === 'answered' ? '200' : '487';
}

function faultsOfCounts(
  { outcomes, pushes }: E2eCase,
  found: { readonly outcomes: string; readonly pushes: number },
): readonly string[] {
  const wanted = outcomes === undefined ? found.outcomes : textOf(new Map(Object.entries(outcomes)));
  const [least, most] = pushes === 'one a call' ? [0, Number.POSITIVE_INFINITY] : pushes;
  return [
    ...(found.outcomes === wanted
      ? []
      : [`the service counts ${found.outcomes || 'no call'}; expected: ${wanted || 'no call'}`]),
    ...(found.pushes >= least && found.pushes <= most
      ? []
      : [`${found.pushes} pushes; expected: ${least} to ${most}`]),
  ];
}

function textOf(outcomes: ReadonlyMap<string, number>): string {
  return [...outcomes]
    .filter(([, count]) => count > 0)
    .map(([outcome, count]) => `${outcome} ${count}`)
    .sort()
    .join(', ');
}

/** The flows of all calls with what is wrong with them, once Kamailio has written the last message of each. */
async function settledFlows(stage: Stage, theCase: E2eCase, made: readonly CallsMade[]) {
  const { network } = stage;
  const read = () => {
    const messages = stage.kamailio.messages();
    return made.flatMap((calls) =>
      flowsOf(messages, calls.callIds, network).map((flow) => {
        const account = calls.accounts[Number(flow.callId.slice(calls.callIds.length)) - 1];
        const phone = stage.handsets().find((handset) => handset.account === account);
        const taker = theCase.takenBy?.(stage) ?? phone?.softPhone()?.address;
        const { scenario } = calls;
        const wanted = { scenario, network, phone: taker };
        return { made: calls, flow, phone, faults: faultsOfFlow(flow, wanted) };
      }),
    );
  };
  const called = made.reduce((count, { accounts }) => count + accounts.length, 0);
  const settled = () => {
    const flows = read();
    return flows.length === called && flows.every(({ faults }) => faults.length === 0);
  };
  // What does not settle is a fault that the caller tells.
  await until(settled, 'the trace is complete', SETTLED_MS).catch(() => {});
  return read();
}

async function countsOf(stage: Stage) {
  let outcomes = new Map<string, number>();
  let waiting = 0;
  let failed = 0;
  for (const service of stage.services.filter((each) => each.runs())) {
    const metrics = await service.metrics();
    for (const [outcome, count] of metrics.by('vialer_middleware_calls_total', 'outcome'))
      outcomes = outcomes.set(outcome, count + (outcomes.get(outcome) ?? 0));
    waiting += metrics.sum('vialer_middleware_calls_waiting');
    failed += metrics.sum('vialer_middleware_requests_failed_total');
  }
  return { outcomes, waiting, failed, pushes: stage.pushes() };
}
