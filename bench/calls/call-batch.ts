import { now } from '../lib/clock.ts';
import { countsFrom } from '../lib/schedule.ts';
import { type Delays, delaysOf } from '../lib/statistics.ts';
import type { Tools } from '../lib/tools.ts';
import { type CallTimes, ENDINGS } from '../load/calls.ts';
import type { PhoneTimes } from '../phones/phones-process.ts';
import type { Subject } from '../subjects/subject.ts';

/** Before the first call is due: PBXs and phones must know of it. */
const LEAD_MS = 150;

/** Calls under way. */
export interface CallBatch {
  /** Moment of `now` from which the schedule counts. */
  readonly startAt: number;
  /** Resolves when the last call has ended. */
  readonly ended: Promise<EndedBatch>;
}

/** Calls that have ended, with the moments of PBXs and phones. */
export interface EndedBatch {
  readonly pbx: CallTimes;
  readonly phone: PhoneTimes;
}

/** Lets calls come at moments counted from the start, whose phones take `wakeMs` each. */
export async function startBatch(
  tools: Tools,
  subject: Subject,
  calls: {
    readonly arrivals: Float64Array;
    readonly seed: number;
    readonly wakeMs: number;
    /** No further calls once one has waited for so many milliseconds: the subject does not keep up. */
    readonly patienceMs?: number;
  },
): Promise<CallBatch> {
  const { origins, pushes } = subject;
  const startAt = now() + LEAD_MS;
  const due = calls.arrivals.map((at) => startAt + at);
  const firstCall = tools.takeCalls(due.length);
  const common = { run: tools.run, firstCall, origins, freshShare: tools.freshShare, seed: calls.seed };
  await tools.phones.ask('begin', {
    ...common,
    calls: due.length,
    wakeMs: calls.wakeMs,
    ...(pushes ? {} : { byClock: due }),
  });
  const { patienceMs = Number.POSITIVE_INFINITY } = calls;
  const asking = tools.pbxs.ask('ask', { ...common, due, accounts: tools.accounts, held: false, patienceMs });
  const end = async (): Promise<EndedBatch> => {
    const pbx = await asking;
    return { pbx, phone: await tools.phones.ask('end', firstCall) };
  };
  return { startAt, ended: end() };
}

/** What PBXs and phones saw from one moment to another. */
export interface BatchView {
  /** Calls asked in that time, by how they ended. */
  readonly endings: Readonly<Record<keyof typeof ENDINGS, number>>;
  readonly asked: number;
  readonly ended: number;
  /** From the app's answer to the PBX's, for answers of that time. */
  readonly ackDelay: Delays;
  /** From the PBX's request to the push on the wire, for requests of that time. */
  readonly pushDelay: Delays;
  /** How late PBXs and phones were themselves. */
  readonly lateness: Delays;
}

/** Looks at what was to happen from `from` to before `to`, moments of `now`. */
export function viewBatch({ pbx, phone }: EndedBatch, from: number, to: number): BatchView {
  const isWithin = (moment: number | undefined): boolean =>
    moment !== undefined && moment >= from && moment < to;
  const between = (dues: Float64Array, begins: Float64Array, ends: Float64Array): Delays =>
    delaysOf(
      dues.map((due, index) =>
        isWithin(due) ? at(ends, index) - countsFrom(due, at(begins, index)) : Number.NaN,
      ),
    );
  const late = (dues: Float64Array, dones: Float64Array): number[] =>
    Array.from(dues, (due, index) => (isWithin(due) ? at(dones, index) - due : Number.NaN));
  const endings = Object.entries(ENDINGS).map(([name, value]) => [
    name,
    pbx.endings.filter((ending, index) => ending === value && isWithin(pbx.due[index])).length,
  ]);
  return {
    endings: Object.fromEntries(endings),
    asked: pbx.due.filter(isWithin).length,
    ended: pbx.ended.filter(isWithin).length,
    ackDelay: between(phone.due, phone.answered, pbx.ended),
    pushDelay: between(pbx.due, pbx.asked, phone.pushed),
    lateness: delaysOf(Float64Array.from([...late(pbx.due, pbx.asked), ...late(phone.due, phone.answered)])),
  };
}

function at(moments: Float64Array, index: number): number {
  return moments[index] ?? Number.NaN;
}
