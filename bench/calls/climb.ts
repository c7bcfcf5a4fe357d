import { sleepUntil } from '../lib/clock.ts';
import { arrivals } from '../lib/schedule.ts';
import type { Tools } from '../lib/tools.ts';
import type { Subject } from '../subjects/subject.ts';
import { type BatchView, startBatch, viewBatch } from './call-batch.ts';
import { type Shares, sharesOf, takeMarks } from './measure-calls.ts';

/** A rate that was tried. */
export interface Step extends BatchView {
  readonly perSecond: number;
  readonly shares: Shares;
  /** Every call rang, and soon enough. */
  readonly sustained: boolean;
}

/** The staircase of rates. */
export interface Stairs {
  readonly from: number;
  readonly factor: number;
  readonly steps: number;
  readonly secondsEach: number;
  /** Where a call has waited for so many milliseconds longer than its phone takes, the subject has lost. */
  readonly lostMs: number;
}

const WAKE_MS = 200;
/** Milliseconds within which 99 of 100 pushes and answers must be on their way: a phone takes seconds to wake. */
const SOON_MS = 200;

/**
 * Lets more and more calls come, step by step without a pause, until the subject no longer keeps up.
 */
export async function climb(tools: Tools, subject: Subject, stairs: Stairs): Promise<readonly Step[]> {
  const stepMs = stairs.secondsEach * 1_000;
  const seed = tools.nextSeed();
  const rates = Array.from({ length: stairs.steps }, (_, step) => stairs.from * stairs.factor ** step);
  const times = rates.flatMap((perSecond, step) =>
    Array.from(
      arrivals({ perSecond, seconds: stairs.secondsEach, seed: seed + step }),
      (at) => at + step * stepMs,
    ),
  );
  const batch = await startBatch(tools, subject, {
    arrivals: Float64Array.from(times),
    seed,
    wakeMs: WAKE_MS,
    patienceMs: WAKE_MS + stairs.lostMs,
  });
  let over = false;
  const ended = batch.ended.finally(() => {
    over = true;
  });
  const marks = [takeMarks(tools, subject)];
  for (let step = 1; step <= stairs.steps && !over; step += 1) {
    await Promise.race([sleepUntil(batch.startAt + step * stepMs), ended]);
    marks.push(takeMarks(tools, subject));
  }
  const moments = await ended;
  const steps = rates.flatMap((perSecond, step): Step[] => {
    const [from, to] = [marks[step], marks[step + 1]];
    if (from === undefined || to === undefined) return [];
    const startsAt = batch.startAt + step * stepMs;
    const view = viewBatch(moments, startsAt, startsAt + stepMs);
    return [{ ...view, perSecond, shares: sharesOf(from, to), sustained: isSustained(view) }];
  });
  return steps.filter(({ asked }) => asked > 0);
}

function isSustained({ asked, endings, ackDelay, pushDelay }: BatchView): boolean {
  return asked > 0 && endings.ack === asked && ackDelay.p99 <= SOON_MS && pushDelay.p99 <= SOON_MS;
}

/**
 * The highest step that was sustained; undefined where none was. One below it that was not is a pause of the machine:
 * what a subject cannot keep up with is still there in the next step.
 */
export function highestSustained(steps: readonly Step[]): Step | undefined {
  return steps.findLast(({ sustained }) => sustained);
}
