import { ErrorReply } from './error-reply.ts';
import type { RedisProbe } from './redis-link.ts';
import { digestOf } from './run-script.ts';
import type { ServerConnection } from './server-connection.ts';

/** Milliseconds after which Redis forgets what a probe wrote. */
const PROBE_LIVES_MS = 10_000;

/** What is asked of a server: with a probe, what its script does and a message; without, that it writes a key. */
export interface Probing {
  readonly probe: RedisProbe | undefined;
  /** Begins the key that is written without a probe. */
  readonly prefix: string;
}

/** What the key of a probe begins with. */
export function probeKey({ probe, prefix }: Probing): string {
  return probe?.key ?? `${prefix}probe:`;
}

/**
 * Has a server do what calls do: a PING is also answered by a replica, by a server without memory, by a Cluster that is
 * down, and for a user who may not run scripts. Rejects with what the server says. `publish`: PUBLISH or, at a server of a
 * Cluster, SPUBLISH, to a channel in the slot of the key.
 */
export async function probeServer(
  connection: ServerConnection,
  { probe }: Probing,
  key: string,
  publish: 'PUBLISH' | 'SPUBLISH',
): Promise<void> {
  if (probe === undefined) {
    await connection.call('SET', [key, '1', 'PX', PROBE_LIVES_MS]);
    return;
  }
  // In braces, the key decides the slot of the channel too.
  const channel = `${probe.channel}{${key}}`;
  await Promise.all([runProbe(connection, probe, key), say(connection, publish, channel)]);
}

async function runProbe(connection: ServerConnection, { script }: RedisProbe, key: string): Promise<void> {
  try {
    await connection.call('EVALSHA', [digestOf(script), 1, key]);
  } catch (error) {
    if (!(error instanceof ErrorReply) || error.code !== 'NOSCRIPT') throw error;
    await connection.call('EVAL', [script.lua, 1, key]);
  }
}

async function say(
  connection: ServerConnection,
  publish: 'PUBLISH' | 'SPUBLISH',
  channel: string,
): Promise<void> {
  try {
    await connection.call(publish, [channel, '']);
  } catch (error) {
    // Servers before Redis 7 do not know SPUBLISH.
    if (publish === 'PUBLISH' || !(error instanceof ErrorReply) || !error.unknownCommand) throw error;
    await connection.call('PUBLISH', [channel, '']);
  }
}
