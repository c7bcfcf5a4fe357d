import type { Socket } from 'node:net';

/** Bytes that were written to a TCP socket and that the kernel has not taken: more than 0 while its client does not read. */
export function unsentBytes(socket: Socket): number {
  return counter(socket, 'writeQueueSize');
}

/** Bytes that the kernel has taken from a TCP socket. */
export function sentBytes(socket: Socket): number {
  return counter(socket, 'bytesWritten') - counter(socket, 'writeQueueSize');
}

/**
 * Node's own time-outs look at these two of a socket's handle, but nothing public does: `Socket.bytesWritten` counts what waits,
 * and `writableLength` moves only when a whole response has left.
 */
function counter(socket: Socket, name: 'writeQueueSize' | 'bytesWritten'): number {
  const handle: unknown = Reflect.get(socket, '_handle');
  const value: unknown =
    typeof handle === 'object' && handle !== null ? Reflect.get(handle, name) : undefined;
  return typeof value === 'number' ? value : 0;
}
