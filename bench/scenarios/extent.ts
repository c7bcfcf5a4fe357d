import type { Stairs } from '../calls/climb.ts';
import type { CallLoad } from '../calls/measure-calls.ts';

/** How thoroughly is measured. */
export interface Extent {
  /** How often each measurement is made, of the service and the limit in turn. */
  readonly rounds: number;
  /** Seconds of one measurement. */
  readonly seconds: number;
  /** How 2,000 calls come to wait at 500 calls/s: 4 s each, or most of them all the time. */
  readonly twoThousand: Omit<CallLoad, 'seconds'> & { readonly held: number };
  readonly stairs: Stairs & { readonly rounds: number };
  readonly waiting: {
    /** How often 15,000 calls are made to wait, each time in a new process. */
    readonly rounds: number;
    /** Seconds of a measurement of other calls meanwhile, and before the first one: the calls that wait do so for 60. */
    readonly seconds: number;
    readonly warmSeconds: number;
    /** Until nothing is left of 15,000 calls that have gone: V8 collects garbage again 10 s later. */
    readonly clearSeconds: number;
    /** Whether that is warm-up enough for the scenarios that come later. */
    readonly isWarmUp: boolean;
  };
  readonly registrations: number;
  /** Calls before anything is measured of which the speed is told. V8 compiles what is hot over some 20,000. */
  readonly warmUp: CallLoad;
}

/** As the figures of docs/performance.md were measured. */
export const FULL: Extent = {
  rounds: 5,
  seconds: 10,
  twoThousand: { perSecond: 500, wakeMs: 4_000, held: 0 },
  stairs: { rounds: 3, from: 600, factor: 1.15, steps: 17, secondsEach: 4, lostMs: 1_000 },
  waiting: { rounds: 3, seconds: 8, warmSeconds: 3, clearSeconds: 14, isWarmUp: false },
  registrations: 5_000,
  warmUp: { perSecond: 700, wakeMs: 200, seconds: 30 },
};

/** Everything once, within a minute: for a first look, and to see that the bench works. */
export const QUICK: Extent = {
  rounds: 1,
  seconds: 0.7,
  twoThousand: { perSecond: 500, wakeMs: 200, held: 1_900 },
  stairs: { rounds: 1, from: 700, factor: 1.4, steps: 5, secondsEach: 0.4, lostMs: 500 },
  waiting: { rounds: 1, seconds: 0.5, warmSeconds: 0.2, clearSeconds: 0.5, isWarmUp: true },
  registrations: 500,
  warmUp: { perSecond: 700, wakeMs: 100, seconds: 0.4 },
};
