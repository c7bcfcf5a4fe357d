/** Lets a moment come, on the clock of `performance.now()`. */
export const pauseUntil = (moment: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, moment - performance.now())));
