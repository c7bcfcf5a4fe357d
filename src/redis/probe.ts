import type { ServerConnection } from './server-connection.ts';

/** Milliseconds after which Redis forgets what a probe wrote. */
const PROBE_LIVES_MS = 10_000;

/**
 * Has a server write a key, as the scripts do: a PING is also answered by a replica, by a server without memory and by
 * a Cluster that is down. Rejects with what the server says.
 */
export const probeServer = async (connection: ServerConnection, key: string): Promise<void> => {
  await connection.call('SET', [key, '1', 'PX', PROBE_LIVES_MS]);
};
