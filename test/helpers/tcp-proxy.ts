import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that can be cut in the ways networks are. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that are open on the client's side. */
  readonly connections: number;
  /** Everything from now on vanishes, both ways, on old and new connections; nobody is told. */
  blackhole(): void;
  /** Old connections are reset, new ones at once as well. */
  refuse(): void;
  /** Old connections are reset; new ones work. */
  reset(): void;
  /** New connections work, and so do the old ones that were not reset; what vanished meanwhile stays lost. */
  heal(): void;
  close(): Promise<void>;
}

/** Opens a proxy on a free port of 127.0.0.1 to another port there. */
export const startTcpProxy = async (target: number): Promise<TcpProxy> => {
  let state: 'through' | 'blackhole' | 'refuse' = 'through';
  const pairs = new Set<readonly [Socket, Socket]>();
  const server = createServer((client) => {
    client.on('error', () => {});
    if (state === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    upstream.on('error', () => {});
    const pair = [client, upstream] as const;
    pairs.add(pair);
    for (const [from, to] of [pair, [upstream, client] as const]) {
      from.on('data', (bytes) => {
        if (state === 'through') to.write(bytes);
      });
      from.on('close', () => {
        pairs.delete(pair);
        if (state === 'through') to.destroy();
        else if (from === client) upstream.destroy();
      });
    }
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const resetAll = () => {
    for (const [client, upstream] of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return pairs.size;
    },
    blackhole: () => {
      state = 'blackhole';
    },
    refuse: () => {
      state = 'refuse';
      resetAll();
    },
    reset: resetAll,
    heal: () => {
      state = 'through';
    },
    close: async () => {
      const closed = once(server, 'close');
      server.close();
      resetAll();
      await closed;
    },
  };
};
