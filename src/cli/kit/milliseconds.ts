/** A duration for people, one decimal. */
export const milliseconds = (ms: number): string => `${ms.toFixed(1)} ms`;
