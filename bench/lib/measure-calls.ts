import { type CallTimes, ENDINGS } from '../load/calls.ts';
import type { PhoneTimes } from '../phones/phones-process.ts';
import type { Subject } from '../subjects/subject.ts';
import { now, sleepUntil } from './clock.ts';
import { cpuMs } from './process-figures.ts';
import { arrivals, countsFrom } from './schedule.ts';
import { type Delays, delaysOf } from './statistics.ts';
import type { Tools } from './tools.ts';

/** How many calls come, and how long their phones take. */
export interface CallLoad {
  readonly perSecond: number;
  /** From the push to the app's answer: `perSecond` times this is how many calls wait. */
  readonly wakeMs: number;
  /** How long is measured, after as long as it takes until as many calls wait as will. */
  readonly seconds: number;
}

/** What was measured in one stretch of time. */
export interface CallWindow {
  readonly seconds: number;
  /** Calls of the whole stretch, the ones before the measured time included, by how they ended. */
  readonly calls: Readonly<Record<keyof typeof ENDINGS, number>>;
  /** Calls in the measured time: the mean of those asked and those ended. */
  readonly measured: number;
  readonly endedPerSecond: number;
  readonly cpuUsPerCall: number;
  /** From the app's answer to the PBX's. */
  readonly ackDelay: Delays;
  /** From the PBX's request to the push on the wire. */
  readonly pushDelay: Delays;
  /** How late PBXs and phones were themselves. */
  readonly lateness: Delays;
  /** Share of one processor that the measured processes, the PBXs and the phones used. */
  readonly shares: { readonly subject: number; readonly pbxs: number; readonly phones: number };
}

/** Before the first call is due: both processes must know of it. */
const LEAD_MS = 300;
/** Beyond the phones' time, until everything runs evenly. */
const SETTLE_MS = 700;

interface Marks {
  readonly at: number;
  readonly subject: number;
  readonly pbxs: number;
  readonly phones: number;
}

/** Lets calls come and measures; resolves when the last has ended. */
export const measureCalls = async (tools: Tools, subject: Subject, load: CallLoad): Promise<CallWindow> => {
  const { perSecond, wakeMs, seconds } = load;
  const warmMs = wakeMs + SETTLE_MS;
  const startAt = now() + LEAD_MS;
  const seed = tools.nextSeed();
  const due = arrivals({ perSecond, seconds: warmMs / 1_000 + seconds, seed }).map((at) => startAt + at);
  const batch = {
    run: tools.run,
    firstCall: tools.takeCalls(due.length),
    freshShare: tools.freshShare,
    seed,
  };
  await tools.phones.ask('begin', {
    ...batch,
    calls: due.length,
    wakeMs,
    origins: subject.origins,
    ...(subject.pushes ? {} : { byClock: due }),
  });
  const asking = tools.pbxs.ask('ask', {
    ...batch,
    due,
    accounts: tools.accounts,
    origins: subject.origins,
    held: false,
  });
  const mark = (): Marks => ({
    at: now(),
    subject: subject.pids.reduce((sum, pid) => sum + cpuMs(pid), 0),
    pbxs: cpuMs(tools.pbxs.pid),
    phones: cpuMs(tools.phones.pid),
  });
  await sleepUntil(startAt + warmMs);
  const from = mark();
  await sleepUntil(from.at + seconds * 1_000);
  const to = mark();
  const pbx = await asking;
  const phone = await tools.phones.ask('end', batch.firstCall);
  return windowOf(pbx, phone, from, to, subject.pids.length > 0);
};

const windowOf = (pbx: CallTimes, phone: PhoneTimes, from: Marks, to: Marks, hasCpu: boolean): CallWindow => {
  const isWithin = (moment: number): boolean => moment >= from.at && moment < to.at;
  const count = (moments: Float64Array): number => moments.filter(isWithin).length;
  const asked = pbx.due.map((due, index) => countsFrom(due, pbx.asked[index] ?? Number.NaN));
  const answered = phone.due.map((due, index) => countsFrom(due, phone.answered[index] ?? Number.NaN));
  const between = (begins: Float64Array, ends: Float64Array): Delays =>
    delaysOf(
      begins.map((begin, index) => (isWithin(begin) ? (ends[index] ?? Number.NaN) - begin : Number.NaN)),
    );
  const late = (due: Float64Array, done: Float64Array): number[] =>
    Array.from(due, (moment, index) => (done[index] ?? Number.NaN) - moment);
  const ms = to.at - from.at;
  const ended = count(pbx.ended);
  const measured = (count(asked) + ended) / 2;
  const endings = Object.entries(ENDINGS).map(([name, value]) => [
    name,
    pbx.endings.filter((ending) => ending === value).length,
  ]);
  return {
    seconds: ms / 1_000,
    calls: Object.fromEntries(endings),
    measured,
    endedPerSecond: (ended * 1_000) / ms,
    cpuUsPerCall: hasCpu ? ((to.subject - from.subject) * 1_000) / measured : Number.NaN,
    ackDelay: between(answered, pbx.ended),
    pushDelay: between(asked, phone.pushed),
    lateness: delaysOf(Float64Array.from([...late(pbx.due, pbx.asked), ...late(phone.due, phone.answered)])),
    shares: {
      subject: hasCpu ? (to.subject - from.subject) / ms : Number.NaN,
      pbxs: (to.pbxs - from.pbxs) / ms,
      phones: (to.phones - from.phones) / ms,
    },
  };
};
