import { InvalidArgumentError } from 'commander';

/** Reads the value of a suite's option. */
export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new InvalidArgumentError('It must be a whole number.');
  return Number(text);
}
