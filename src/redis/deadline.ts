/**
 * Runs `late` once after `ms` milliseconds unless cancelled. What had already arrived by then is read first: a process
 * that was busy for longer than the limit must not take that for the silence of Redis.
 */
export function startDeadline(ms: number, late: () => void): () => void {
  let immediate: NodeJS.Immediate | undefined;
  const timer = setTimeout(() => {
    immediate = setImmediate(late);
  }, ms);
  return () => {
    clearTimeout(timer);
    clearImmediate(immediate);
  };
}
