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
  readonly stairs: Stairs;
  /** How often calls are made to wait, and how many when the cost of another call is looked at. */
  readonly waiting: { readonly rounds: number; readonly costAt: readonly number[] };
  readonly registrations: number;
}

/** As the figures of docs/performance.md were measured. */
export const FULL: Extent = {
  rounds: 5,
  seconds: 10,
  twoThousand: { perSecond: 500, wakeMs: 4_000, held: 0 },
  stairs: { from: 400, factor: 1.1, steps: 24, secondsEach: 4 },
  waiting: { rounds: 3, costAt: [100, 1_000, 5_000, 15_000] },
  registrations: 5_000,
};

/** Everything once, within a minute: for a first look, and to see that the bench works. */
export const QUICK: Extent = {
  rounds: 1,
  seconds: 1.5,
  twoThousand: { perSecond: 500, wakeMs: 200, held: 1_900 },
  stairs: { from: 400, factor: 1.25, steps: 11, secondsEach: 0.5 },
  waiting: { rounds: 1, costAt: [100, 15_000] },
  registrations: 500,
};
