import { IncomingMessage, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { Server as NetServer, type Socket } from 'node:net';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import type { ConnectionBound } from './connection-bound.ts';

/** Milliseconds for a request of which the first half, or only the connection, has come when the server closes. */
const PATIENCE_MS = 500;
const LOOK_MS = 5;
/** Connections still come out of the kernel's queue until this many turns of the event loop, each of at most 2 ms, bring none. */
const CALM_TURNS = 5;
const CALM_TURN_MS = 2;
/** Milliseconds after which the server stops listening although connections still come. */
const ACCEPT_LIMIT_MS = 2_500;

/** Makes a server whose connections and requests are bounded. */
export function createBoundedServer(
  bound: ConnectionBound,
  create: (options: ServerOptions, onRequest: RequestListener) => Server,
  options: ServerOptions,
  onRequest: RequestListener,
): Server {
  const server = create({ ...options, IncomingMessage: requestsOf(bound) }, bound.follow(onRequest));
  bound.watch(server);
  server.on('upgrade', ({ socket }: IncomingMessage) => discard(socket));
  server.closeAllConnections = () => bound.cutAll();
  return server;
}

/** Node reads no requests from it any more: what comes is dropped, so that its end is seen. */
function discard(socket: Socket): void {
  socket.on('error', () => socket.destroy());
  socket.once('end', () => socket.end());
  socket.resume();
}

/**
 * Requests of which those after a connection's last answer are called upgrades: Node then parses nothing more of what came. It
 * would make a request, a response and an error of each of thousands otherwise. No other request is an upgrade.
 */
function requestsOf(bound: ConnectionBound): typeof IncomingMessage {
  return class extends IncomingMessage {
    get upgrade(): boolean {
      return bound.requestsOf(this.socket)?.isOver ?? this.socket.destroyed;
    }

    /** Node tells what the client asks for. */
    set upgrade(_wanted: boolean | null) {}
  };
}

/**
 * Stops listening and answers what has come: requests under way, those that wait in the kernel, those of connections made a
 * moment ago. Then closes all connections. `Server.close` itself would reset each of these. Resolves when no connection is
 * open, which needs the help of `closeAllConnections` if a client does not read.
 */
export async function drainServer(server: Server, bound: ConnectionBound): Promise<void> {
  bound.drain();
  await acceptWaiting(bound);
  NetServer.prototype.close.call(server);
  // What they sent is read in the next turn. A look that follows a busy one at once would take what waits for silence.
  await turn();
  while (!bound.isQuiet(PATIENCE_MS)) {
    await delay(LOOK_MS);
    await turn();
  }
  bound.end();
  while (bound.size > 0) await delay(LOOK_MS);
}

/**
 * Accepts the connections that the kernel has made, which would be reset otherwise. One turn takes hundreds of them, but a queue
 * of thousands needs several, and more come meanwhile.
 */
async function acceptWaiting(bound: ConnectionBound): Promise<void> {
  const end = performance.now() + ACCEPT_LIMIT_MS;
  let before = performance.now();
  for (let calm = 0; calm < CALM_TURNS && before < end; ) {
    const { made } = bound;
    await turn();
    const now = performance.now();
    calm = bound.made === made && now - before <= CALM_TURN_MS ? calm + 1 : 0;
    before = now;
  }
}
