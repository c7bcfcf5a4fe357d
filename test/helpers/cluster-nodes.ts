import type { RedisServer } from './redis-server.ts';

/** A line of CLUSTER NODES. */
interface ClusterNode {
  readonly id: string;
  readonly flags: readonly string[];
  holds(slot: number): boolean;
}

/** What a server knows of the servers of its Cluster. */
export const nodesOf = async (server: RedisServer): Promise<ClusterNode[]> => {
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
};
