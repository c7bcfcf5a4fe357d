import type { Socket } from 'node:net';

/**
 * Ends a TCP connection with RST, or with what is left to end where our side was shut down already: libuv refuses to
 * reset a stream that is shutting down, and Node then never closes the handle and spins at exit.
 */
export function resetSocket(socket: Socket): void {
  if (socket.writableEnded) socket.destroy();
  else socket.resetAndDestroy();
}
