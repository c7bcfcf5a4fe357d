import type { RedisServer } from '../../harness/redis-server.ts';
import { until } from '../../harness/until.ts';

/** A line of CLUSTER NODES. */
interface ClusterNode {
  readonly id: string;
  readonly flags: readonly string[];
  holds(slot: number): boolean;
}

/** What a server knows of the servers of its Cluster. */
export async function nodesOf(server: RedisServer): Promise<ClusterNode[]> {
  const text = String(await server.ask('CLUSTER', 'NODES'));
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [id = '', , flags = '', , , , , , ...slots] = line.split(' ');
      const ranges = slots
        .filter((slot) => !slot.startsWith('['))
        .map((range) => range.split('-').map(Number));
      return {
        id,
        flags: flags.split(','),
        holds: (slot) => ranges.some(([from = -1, to = from]) => slot >= from && slot <= to),
      };
    });
}

/** A running master that is not this one. */
export async function anotherMaster(servers: readonly RedisServer[], not: RedisServer): Promise<RedisServer> {
  for (const server of servers) {
    if (server === not) continue;
    const own = (await nodesOf(server)).find(({ flags }) => flags.includes('myself'));
    if (own?.flags.includes('master')) return server;
  }
  throw new Error('there is no other master');
}

/** How far the moving of a slot is: servers know of it, keys are where they were; or all keys have moved. */
export type SlotMove = 'begun' | 'keys moved';

/** Moves a slot while clients go on: https://redis.io/docs/latest/commands/cluster-setslot/#redis-cluster-live-resharding-explained */
export async function moveSlot(
  slot: number,
  servers: {
    readonly from: RedisServer;
    readonly to: RedisServer;
    readonly all: readonly RedisServer[];
    readonly password: string | undefined;
  },
  underway: (move: SlotMove) => Promise<void>,
): Promise<void> {
  const { from, to, all, password } = servers;
  const auth = password === undefined ? [] : ['AUTH', password];
  const [fromId, toId] = (await Promise.all([from, to].map((server) => server.ask('CLUSTER', 'MYID')))).map(
    String,
  );
  await to.ask('CLUSTER', 'SETSLOT', slot, 'IMPORTING', fromId ?? '');
  await from.ask('CLUSTER', 'SETSLOT', slot, 'MIGRATING', toId ?? '');
  await underway('begun');
  await until(async () => {
    const keys: unknown = await from.ask('CLUSTER', 'GETKEYSINSLOT', slot, 100);
    if (!Array.isArray(keys) || keys.length === 0) return true;
    for (const key of keys) await from.ask('MIGRATE', '127.0.0.1', to.port, String(key), 0, 5_000, ...auth);
    return false;
  }, 'every key of the slot has moved');
  await underway('keys moved');
  for (const server of [to, from]) await server.ask('CLUSTER', 'SETSLOT', slot, 'NODE', toId ?? '');
  await until(async () => {
    const views = await Promise.all(all.map((server) => nodesOf(server)));
    return views.every((nodes) => nodes.find(({ id }) => id === toId)?.holds(slot));
  }, 'every server knows of the moved slot');
}
