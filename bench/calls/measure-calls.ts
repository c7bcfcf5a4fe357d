import { now, sleepUntil } from '../lib/clock.ts';
import { cpuMs } from '../lib/process-figures.ts';
import { arrivals } from '../lib/schedule.ts';
import type { Tools } from '../lib/tools.ts';
import type { Subject } from '../subjects/subject.ts';
import { type BatchView, startBatch, viewBatch } from './call-batch.ts';

/** How many calls come, and how long their phones take. */
export interface CallLoad {
  readonly perSecond: number;
  /** From the push to the app's answer: `perSecond` times this is how many calls wait. */
  readonly wakeMs: number;
  /** How long is measured, after as long as it takes until as many calls wait as will. */
  readonly seconds: number;
}

/** What was measured in one stretch of time. */
export interface CallWindow extends BatchView {
  readonly seconds: number;
  /** All calls, those before the measured time included. */
  readonly total: number;
  readonly cpuUsPerCall: number;
  readonly shares: Shares;
}

/** Share of one processor that each used. */
export interface Shares {
  /** All processes of what is measured together; NaN where they cannot be looked at. */
  readonly subject: number;
  readonly pbxs: number;
  readonly phones: number;
}

/** Beyond the phones' time, until everything runs evenly. */
const SETTLE_MS = 250;

/** Processor time used so far, milliseconds. */
interface Marks {
  readonly at: number;
  readonly subject: number;
  readonly pbxs: number;
  readonly phones: number;
}

/** Reads the processor time of everybody who takes part. */
export function takeMarks(tools: Tools, subject: Subject): Marks {
  return {
    at: now(),
    subject: subject.pids.length === 0 ? Number.NaN : subject.pids.reduce((sum, pid) => sum + cpuMs(pid), 0),
    pbxs: cpuMs(tools.pbxs.pid),
    phones: cpuMs(tools.phones.pid),
  };
}

/** What was used between two marks. */
export function sharesOf(from: Marks, to: Marks): Shares {
  const ms = to.at - from.at;
  return {
    subject: (to.subject - from.subject) / ms,
    pbxs: (to.pbxs - from.pbxs) / ms,
    phones: (to.phones - from.phones) / ms,
  };
}

/** Lets calls come and measures; resolves when the last has ended. Calls that do not ring are a problem. */
export async function measureCalls(tools: Tools, subject: Subject, load: CallLoad): Promise<CallWindow> {
  const { perSecond, wakeMs, seconds } = load;
  const warmMs = wakeMs + SETTLE_MS;
  const seed = tools.nextSeed();
  const batch = await startBatch(tools, subject, {
    arrivals: arrivals({ perSecond, seconds: warmMs / 1_000 + seconds, seed }),
    seed,
    wakeMs,
  });
  await sleepUntil(batch.startAt + warmMs);
  const from = takeMarks(tools, subject);
  await sleepUntil(from.at + seconds * 1_000);
  const to = takeMarks(tools, subject);
  const ended = await batch.ended;
  const whole = viewBatch(ended, 0, Number.POSITIVE_INFINITY).endings;
  const total = Object.values(whole).reduce((sum, count) => sum + count, 0);
  if (whole.ack < total)
    tools.problems.push(
      `${subject.name}, ${perSecond} calls/s: ${total - whole.ack} of ${total} calls did not ring: ${told(whole)}`,
    );
  const view = viewBatch(ended, from.at, to.at);
  // A call is two requests: one half of it belongs to those asked in this time, the other to those ended.
  const calls = (view.asked + view.ended) / 2;
  return {
    ...view,
    seconds: (to.at - from.at) / 1_000,
    total,
    cpuUsPerCall: ((to.subject - from.subject) * 1_000) / calls,
    shares: sharesOf(from, to),
  };
}

function told({ ack: _, ...endings }: BatchView['endings']): string {
  return Object.entries(endings)
    .filter(([, count]) => count > 0)
    .map(([name, count]) => `${count} ${name}`)
    .join(', ');
}
