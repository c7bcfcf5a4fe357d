/** Lets a moment come, on the clock of `performance.now()`. */
export function pauseUntil(moment: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now())));
}
