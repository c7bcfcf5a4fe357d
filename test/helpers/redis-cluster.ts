import { type RedisServer, startRedis } from '../../harness/redis-server.ts';
import { freePort } from '../../harness/server-process.ts';
import { until } from '../../harness/until.ts';
import { keySlot } from '../../src/redis/key-slot.ts';
import { createThrowAwayCa, type ThrowAwayCa } from '../../src/sandbox/certificates.ts';
import { anotherMaster, moveSlot, nodesOf, type SlotMove } from './cluster-nodes.ts';

/** A Redis Cluster of three masters and three replicas on 127.0.0.1. */
export interface RedisCluster {
  readonly servers: readonly RedisServer[];
  /** For REDIS_SERVER_LIST. */
  readonly serverList: string;
  readonly ca: string | undefined;
  /** The master that holds the key now. */
  masterOf(key: string): Promise<RedisServer>;
  /** Kills the master of a key; a replica takes its place after about two seconds. */
  killMasterOf(key: string): Promise<RedisServer>;
  /** Moves one key's slot, with what is in it, to another master; what is to be done meanwhile is waited for. */
  moveSlotOf(key: string, underway?: (move: SlotMove) => Promise<void>): Promise<void>;
  /** Until every slot is served and every killed server that was started again has joined. */
  settled(): Promise<void>;
  close(): Promise<void>;
}

const HOST = '127.0.0.1';
const SLOTS = 16_384;
const NODE_TIMEOUT_MS = 2_000;

interface Node extends RedisServer {
  readonly busPort: number;
}

/** How each server of a Cluster is to run. */
interface NodeOptions {
  readonly password?: string;
  readonly tls?: ThrowAwayCa;
  readonly config?: Readonly<Record<string, string>>;
}

/** Starts a Cluster and waits until it serves every slot; `config` is for each server. */
export async function startRedisCluster(
  options: Omit<NodeOptions, 'tls'> & { readonly tls?: boolean } = {},
): Promise<RedisCluster> {
  const { password } = options;
  const { tls, ...rest } = options;
  const node: NodeOptions = tls === true ? { ...rest, tls: createThrowAwayCa() } : rest;
  const starts = await Promise.allSettled(Array.from({ length: 6 }, () => startNode(node)));
  const servers = starts.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []));
  const close = async () => {
    await Promise.all(servers.map((server) => server.close()));
  };
  const [first, ...others] = servers;
  const failure = starts.find((start) => start.status === 'rejected');
  if (first === undefined || failure !== undefined) {
    await close();
    throw new Error('a server of the Redis Cluster did not start', { cause: failure?.reason });
  }
  const running = () => servers.filter(({ runs }) => runs);
  const master = async (key: string): Promise<RedisServer> => {
    const slot = keySlot(key);
    for (const server of running()) {
      const lines = await nodesOf(server).catch(() => []);
      const own = lines.find(({ flags }) => flags.includes('myself'));
      if (own?.flags.includes('master') && own.holds(slot)) return server;
    }
    throw new Error(`no master for slot ${slot}`);
  };
  const settled = () =>
    until(async () => {
      const states = await Promise.all(running().map((server) => isSettled(server, running().length)));
      return states.every((state) => state);
    }, 'the Redis Cluster is ok');
  try {
    await Promise.all(
      servers.slice(0, 3).map((server, index) => {
        const range = [Math.ceil((SLOTS * index) / 3), Math.ceil((SLOTS * (index + 1)) / 3) - 1] as const;
        return server.ask('CLUSTER', 'ADDSLOTSRANGE', ...range);
      }),
    );
    await introduce(first, others);
    for (const [index, server] of servers.slice(3).entries()) {
      const id = await servers[index]?.ask('CLUSTER', 'MYID');
      await server.ask('CLUSTER', 'REPLICATE', String(id));
    }
    await settled();
    await until(async () => {
      const info = await Promise.all(servers.slice(3).map((server) => server.ask('INFO', 'replication')));
      return info.every((text) => String(text).includes('master_link_status:up'));
    }, 'the replicas follow');
  } catch (error) {
    await close();
    throw error;
  }
  return {
    servers,
    serverList: servers.map(({ port }) => `127.0.0.1:${port}`).join(','),
    ca: first.ca,
    masterOf: master,
    killMasterOf: async (key) => {
      const killed = await master(key);
      await killed.kill();
      return killed;
    },
    moveSlotOf: async (key, underway = async () => {}) => {
      const from = await master(key);
      const to = await anotherMaster(running(), from);
      await moveSlot(keySlot(key), { from, to, all: running(), password }, underway);
    },
    settled,
    close,
  };
}

async function startNode({ password, tls, config }: NodeOptions): Promise<Node> {
  let busPort = 0;
  const server = await startRedis({
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls }),
    config: async () => {
      busPort = await freePort();
      return {
        'cluster-enabled': 'yes',
        'cluster-node-timeout': String(NODE_TIMEOUT_MS),
        'cluster-port': String(busPort),
        'cluster-replica-validity-factor': '0',
        ...(password === undefined ? {} : { masterauth: password }),
        ...(tls === undefined ? {} : { 'tls-cluster': 'yes', 'tls-replication': 'yes' }),
        ...config,
      };
    },
  });
  return Object.assign(server, { busPort });
}

/** A server that is met answers within the time limit of a node or not at all: on a busy machine it is met again. */
async function introduce(first: RedisServer, others: readonly Node[]): Promise<void> {
  let metAt = Number.NEGATIVE_INFINITY;
  await until(async () => {
    const known = await Promise.all([first, ...others].map(async (server) => met(await nodesOf(server))));
    if (known.every((count) => count === others.length + 1)) return true;
    if (performance.now() - metAt > 2 * NODE_TIMEOUT_MS) {
      metAt = performance.now();
      for (const { port, busPort } of others) await first.ask('CLUSTER', 'MEET', HOST, port, busPort);
    }
    return false;
  }, 'all servers know each other');
}

function met(nodes: Awaited<ReturnType<typeof nodesOf>>): number {
  return nodes.filter(({ flags }) => !flags.includes('handshake')).length;
}

async function isSettled(server: RedisServer, count: number): Promise<boolean> {
  // A server that has just become a replica reads its data, and answers LOADING meanwhile.
  const loading = (): undefined => undefined;
  const info = await server.ask('CLUSTER', 'INFO').catch(loading);
  const nodes = await nodesOf(server).catch(loading);
  if (info === undefined || nodes === undefined) return false;
  const healthy = nodes.filter(({ flags }) => !flags.some((flag) => /fail|handshake|noaddr/.test(flag)));
  const text = String(info);
  return (
    text.includes('cluster_state:ok') &&
    text.includes(`cluster_slots_ok:${SLOTS}`) &&
    healthy.length === count
  );
}
