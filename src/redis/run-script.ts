import { createHash } from 'node:crypto';
import { monotonic } from '../lib/monotonic.ts';
import { asUnavailable, ErrorReply } from './error-reply.ts';
import type { RedisScript } from './redis-link.ts';
import type { Command } from './server-link.ts';

/** Sends a command to where it belongs, within so many milliseconds. */
export type Send = (command: Command, limitMs: number) => Promise<unknown>;

/** SHA-1 is what EVALSHA is defined by; scripts are few and live as long as the process. */
const digests = new WeakMap<RedisScript, string>();

/** By what EVALSHA names a script. */
export function digestOf(script: RedisScript): string {
  const known = digests.get(script) ?? createHash('sha1').update(script.lua).digest('hex');
  digests.set(script, known);
  return known;
}

/** Runs a script by its digest, and by its text where the server does not know it; both within `limitMs`. */
export async function runScript(
  send: Send,
  script: RedisScript,
  keys: readonly string[],
  args: readonly (string | number)[],
  limitMs: number,
): Promise<unknown> {
  const started = monotonic();
  const rest = [keys.length, ...keys, ...args];
  try {
    return await send({ name: 'EVALSHA', args: [digestOf(script), ...rest] }, limitMs);
  } catch (error) {
    if (!(error instanceof ErrorReply) || error.code !== 'NOSCRIPT') throw failure(script, error);
  }
  try {
    return await send({ name: 'EVAL', args: [script.lua, ...rest] }, limitMs - (monotonic() - started));
  } catch (error) {
    throw failure(script, error);
  }
}

function failure(script: RedisScript, error: unknown): unknown {
  return error instanceof ErrorReply && error.fault === undefined
    ? new Error(`the Redis script ${script.name} failed: ${error.message}`, { cause: error })
    : asUnavailable(error);
}
