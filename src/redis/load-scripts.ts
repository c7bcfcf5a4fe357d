import { ErrorReply } from './error-reply.ts';
import type { RedisScript } from './redis-link.ts';
import type { ServerConnection } from './server-connection.ts';

/**
 * Makes scripts known to a server before anything is sent to it: commands then keep their order, of which a script that
 * must be sent a second time would fall out. A server that refuses is sent the text when it is needed.
 */
export const loadScripts = async (
  connection: ServerConnection,
  scripts: readonly RedisScript[],
): Promise<void> => {
  const load = async ({ lua }: RedisScript): Promise<void> => {
    try {
      await connection.call('SCRIPT', ['LOAD', lua]);
    } catch (error) {
      if (!(error instanceof ErrorReply)) throw error;
    }
  };
  await Promise.all(scripts.map(load));
};
