import { keySlot } from './key-slot.ts';
import type { HostPort } from './redis-address.ts';

/** Which master holds which slots, and every server that was named. */
export interface SlotTable {
  /** The master of a slot as `host:port`; undefined where none holds it. */
  ownerOf(slot: number): string | undefined;
  /** Masters that hold slots, by `host:port`. */
  readonly masters: ReadonlyMap<string, HostPort>;
  /** Masters and replicas. */
  readonly servers: readonly HostPort[];
}

/** Names a server. */
export function serverKey({ host, port }: HostPort): string {
  return `${host}:${port}`;
}

/** Reads the answer to CLUSTER SLOTS (https://redis.io/docs/latest/commands/cluster-slots/); undefined where it holds no slot. */
export function readSlotTable(answer: unknown, asked: HostPort): SlotTable | undefined {
  const owners = new Map<number, string>();
  const masters = new Map<string, HostPort>();
  const servers = new Map<string, HostPort>();
  for (const range of listOf(answer)) {
    const [from, to, ...nodes] = listOf(range);
    const [master, ...replicas] = nodes.map((node) => serverOf(node, asked));
    for (const server of [master, ...replicas])
      if (server !== undefined) servers.set(serverKey(server), server);
    if (master === undefined || typeof from !== 'number' || typeof to !== 'number') continue;
    masters.set(serverKey(master), master);
    for (let slot = from; slot <= to; slot += 1) owners.set(slot, serverKey(master));
  }
  if (masters.size === 0) return undefined;
  return { ownerOf: (slot) => owners.get(slot), masters, servers: [...servers.values()] };
}

function listOf(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

/** Without a name, or with `?` for one that it does not know, a server means the address that it was asked at. */
function serverOf(value: unknown, asked: HostPort): HostPort | undefined {
  const [host, port] = listOf(value);
  if (typeof port !== 'number' || port === 0) return undefined;
  return typeof host === 'string' && host !== '' && host !== '?'
    ? { host, port }
    : { host: asked.host, port };
}

/** Tries to find a key for one master; there are at most 1000 masters in a Cluster. */
const MOST_TRIES = 20_000;

/** A key that begins so and lies in a slot of this master; undefined where none was found. */
export function keyAt(table: SlotTable, server: string, prefix: string): string | undefined {
  if (!table.masters.has(server)) return undefined;
  for (let number = 0; number < MOST_TRIES; number += 1) {
    const key = `${prefix}${number}`;
    if (table.ownerOf(keySlot(key)) === server) return key;
  }
  return undefined;
}
