import { monotonic } from './monotonic.ts';

/** Time as the push parts see it; tests bring their own. */
export interface Clock {
  /** Monotonic milliseconds; only differences mean something. */
  now(): number;
  /** Milliseconds since the epoch; may jump. */
  wall(): number;
  /** Runs `run` once after `ms` milliseconds; the result cancels it. */
  after(ms: number, run: () => void): () => void;
}

/** The machine's own clocks and timers. */
export const systemClock: Clock = {
  now: monotonic,
  wall: Date.now,
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
