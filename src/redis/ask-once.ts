import { startDeadline } from './deadline.ts';
import type { RedisServer } from './redis-address.ts';
import { type Login, ServerConnection } from './server-connection.ts';

/** Asks one server on a connection made for that; rejects with `RedisUnavailable` or `ErrorReply`, after `limitMs` at the latest. */
export async function askOnce(
  server: RedisServer,
  login: Login,
  limitMs: number,
  signal: AbortSignal,
  ask: (connection: ServerConnection) => Promise<unknown>,
): Promise<unknown> {
  const connection = new ServerConnection(server, login);
  const cancel = startDeadline(limitMs, () => connection.drop('timeout'));
  const stop = () => connection.drop('closed');
  signal.addEventListener('abort', stop, { once: true });
  try {
    await connection.open();
    return await ask(connection);
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
    connection.drop('closed');
    await connection.ended;
  }
}
