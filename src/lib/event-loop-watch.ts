import { monotonic } from './monotonic.ts';

/** Milliseconds between two samples, and how many are looked at together. */
const SAMPLE_EVERY_MS = 50;
const SAMPLES = 5;

/** How late the event loop is. */
export interface EventLoopWatch {
  /** Milliseconds: the median lateness of the last five samples. */
  readonly delayMs: number;
  /** True from a median above the limit to one of at most half of it. */
  readonly late: boolean;
  stop(): void;
}

/**
 * Watches how much later than due a timer runs, every 50 ms. Everything that is asked of the process waits as long. The
 * median of five samples is what counts: one long pause (a garbage collection, a machine that was suspended) makes one
 * sample late, however long it is, and never moves the median; a loop whose turns all take longer than the limit does
 * after three of them.
 */
export function watchEventLoop(options: {
  /** Milliseconds; 0: never late. */
  readonly limitMs: number;
  /** Told of each change. */
  readonly onChange: (late: boolean, delayMs: number) => void;
}): EventLoopWatch {
  const { limitMs } = options;
  const samples: number[] = new Array(SAMPLES).fill(0);
  let next = 0;
  let due = monotonic() + SAMPLE_EVERY_MS;
  let delayMs = 0;
  let late = false;

  const sample = (): void => {
    const now = monotonic();
    samples[next] = Math.max(0, now - due);
    next = (next + 1) % SAMPLES;
    delayMs = median(samples);
    const wasLate = late;
    late = limitMs > 0 && delayMs > (late ? limitMs / 2 : limitMs);
    if (late !== wasLate) options.onChange(late, delayMs);
    due = now + SAMPLE_EVERY_MS;
    timer = setTimeout(sample, SAMPLE_EVERY_MS).unref();
  };
  let timer = setTimeout(sample, SAMPLE_EVERY_MS).unref();

  return {
    get delayMs() {
      return delayMs;
    },
    get late() {
      return late;
    },
    stop: () => clearTimeout(timer),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}
