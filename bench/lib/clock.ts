/** Milliseconds on a clock that never jumps and that all processes of a machine share (on Linux CLOCK_MONOTONIC). */
export function now(): number {
  const [seconds, nanoseconds] = process.hrtime();
  return seconds * 1_000 + nanoseconds / 1_000_000;
}

/** Resolves at that moment of `now`, or at once where it has passed. */
export function sleepUntil(moment: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - now())));
}
