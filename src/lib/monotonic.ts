/** Milliseconds on a clock that never jumps; only differences mean something. */
export function monotonic(): number {
  return performance.now();
}
