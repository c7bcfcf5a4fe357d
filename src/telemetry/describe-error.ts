import { inspect } from 'node:util';
import { scrub } from './redaction.ts';

/** Causes that are told, one after the other. */
const MOST_CAUSES = 5;
/** Errors that are told of one that only gathers others, such as those of each address of a host. */
const MOST_GATHERED = 3;
/** Lines of a stack, and its characters: paths of installed packages are long. */
const MOST_FRAMES = 8;
const MOST_STACK = 2_000;

/** Name, message and code of an error and of what caused it, scrubbed, in one line. */
export function errorWords(error: unknown): string {
  return chainOf(error).map(wordsOf).join(' ← ');
}

/** Where the innermost error of the chain was made, scrubbed; empty where nothing is known of it. */
export function errorStack(error: unknown): string {
  const innermost = chainOf(error).findLast((each) => each instanceof Error);
  const lines = (innermost?.stack ?? '').split('\n').filter((line) => /^\s+at /.test(line));
  return scrub(lines.slice(0, MOST_FRAMES).join('\n'), MOST_STACK);
}

function chainOf(error: unknown): readonly unknown[] {
  const chain: unknown[] = [];
  for (let current = error; current !== undefined && chain.length < MOST_CAUSES; ) {
    chain.push(current);
    current = current instanceof Error ? current.cause : undefined;
  }
  return chain;
}

function wordsOf(error: unknown): string {
  if (!(error instanceof Error))
    return scrub(inspect(error, { depth: 3, breakLength: Number.POSITIVE_INFINITY }));
  const code = 'code' in error && error.code !== undefined ? ` (${String(error.code)})` : '';
  const gathered = error instanceof AggregateError ? error.errors.slice(0, MOST_GATHERED) : [];
  const inner = gathered.length === 0 ? '' : ` [${gathered.map(wordsOf).join('; ')}]`;
  return scrub(`${error.name}: ${error.message}${code}`) + inner;
}
