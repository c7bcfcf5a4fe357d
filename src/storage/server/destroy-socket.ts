import { Socket } from 'node:net';

/** Closes the socket that a driver's connection keeps in its field `stream`, without a goodbye that nobody may hear. */
export function destroySocket(holder: unknown): void {
  if (typeof holder !== 'object' || holder === null || !('stream' in holder)) return;
  if (holder.stream instanceof Socket) holder.stream.destroy();
}
