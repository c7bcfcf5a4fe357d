/** How a mutant differs from the source. docs/testing.md has a row for each. */
export const OPERATORS = [
  'condition negated',
  'loop skipped',
  'negation removed',
  'boundary',
  'equality',
  'arithmetic',
  'increment',
  'logical',
  'fallback removed',
  'optional chaining removed',
  'boolean',
  'string',
  'array emptied',
  'return value removed',
  'statement removed',
] as const;

/** A name of that list. */
export type Operator = (typeof OPERATORS)[number];

/** One small fault in one file: `replacement` instead of the text from `start` to `end` (UTF-16 units). */
export interface Mutant {
  /** From the repository's root, such as `src/calls/call.ts`. */
  readonly file: string;
  readonly operator: Operator;
  readonly start: number;
  readonly end: number;
  readonly replacement: string;
  /** From 1. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
}
