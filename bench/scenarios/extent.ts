/** How thoroughly is measured. */
export interface Extent {
  /** How often each measurement is made, of the service and the limit in turn. */
  readonly rounds: number;
  /** Seconds of one measurement. */
  readonly seconds: number;
}

/** As the figures of docs/performance.md were measured. */
export const FULL: Extent = { rounds: 5, seconds: 10 };

/** Everything once, within a minute: for a first look, and to see that the bench works. */
export const QUICK: Extent = { rounds: 1, seconds: 2 };
