/** Milliseconds on a clock that never jumps; only differences mean something. */
export const monotonic = (): number => performance.now();
