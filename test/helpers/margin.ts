/** Processor time of one measurement, milliseconds: longer than a scheduler lets a process go on while others wait. */
const WORK_MS = 20;
/** Measurements are so far apart at least. */
const EVERY_MS = 1_000;

let worst = 1;
let measuredAt = Number.NEGATIVE_INFINITY;

/**
 * How many times longer work takes than on an idle machine: elapsed time over the processor time that this process got
 * meanwhile, the worst so far. At least 1.
 */
function slowness(): number {
  if (performance.now() - measuredAt > EVERY_MS) {
    worst = Math.max(worst, measure());
    measuredAt = performance.now();
  }
  return worst;
}

function measure(): number {
  const from = performance.now();
  const before = process.threadCpuUsage();
  let spentMs = 0;
  while (spentMs < WORK_MS) {
    const { user, system } = process.threadCpuUsage(before);
    spentMs = (user + system) / 1_000;
  }
  return (performance.now() - from) / spentMs;
}

/**
 * Milliseconds to allow beyond an exact time: `ms` on an idle machine, and more on a busy one. For tests whose subject is time;
 * others wait for a condition (`until`).
 */
export function margin(ms: number): number {
  return ms * slowness();
}
