import type { RequestListener, Server, ServerOptions } from 'node:http';
import { Server as NetServer } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import type { ConnectionBound } from './connection-bound.ts';

/** Milliseconds for a request of which the first half, or only the connection, has come when the server closes. */
const PATIENCE_MS = 500;
const LOOK_MS = 5;

/** Makes a server whose connections and requests are bounded. */
export function createBoundedServer(
  bound: ConnectionBound,
  create: (options: ServerOptions, onRequest: RequestListener) => Server,
  options: ServerOptions,
  onRequest: RequestListener,
): Server {
  const server = create(options, bound.follow(onRequest));
  bound.watch(server);
  return server;
}

/**
 * Stops listening and answers what has come: requests under way, those that wait in the kernel, those of connections made a
 * moment ago. Then closes all connections. `Server.close` itself would reset each of these. Resolves when no connection is
 * open, which needs the help of `closeAllConnections` if a client does not read.
 */
export async function drainServer(server: Server, bound: ConnectionBound): Promise<void> {
  bound.drain();
  // Connections that the kernel has made are taken in this turn; those that came later would be reset.
  await turn();
  NetServer.prototype.close.call(server);
  // What they sent is read in the next.
  await turn();
  while (!bound.isQuiet(PATIENCE_MS)) await delay(LOOK_MS);
  bound.end();
  while (bound.size > 0) await delay(LOOK_MS);
}
