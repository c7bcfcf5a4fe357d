import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** A network between a client and a server that can be cut in the ways networks are. */
export interface TcpProxy {
  readonly port: number;
  /** Connections that are open on the client's side. */
  readonly connections: number;
  /** Connections that were ever made, refused ones included. */
  readonly accepted: number;
  /** Everything vanishes, both ways, nobody is told: on the open connections for ever, on new ones made before `heal` too. */
  blackhole(): void;
  /** Old connections are reset, new ones at once as well. */
  refuse(): void;
  /** Old connections are reset; new ones work. */
  reset(): void;
  /** New connections work. */
  heal(): void;
  close(): Promise<void>;
}

/** Opens a proxy on a free port of 127.0.0.1 to another port there. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  let state: 'through' | 'blackhole' | 'refuse' = 'through';
  const pairs = new Set<{ readonly client: Socket; readonly upstream: Socket; silent: boolean }>();
  let accepted = 0;
  const server = createServer((client) => {
    accepted += 1;
    client.on('error', () => {});
    if (state === 'refuse') {
      client.resetAndDestroy();
      return;
    }
    const upstream = connect(target, '127.0.0.1');
    upstream.on('error', () => {});
    const pair = { client, upstream, silent: state === 'blackhole' };
    pairs.add(pair);
    const pass = (from: Socket, to: Socket) => {
      from.on('data', (bytes) => {
        if (!pair.silent) to.write(bytes);
      });
      from.on('close', () => {
        if (pair.silent && from === upstream) return;
        pairs.delete(pair);
        to.destroy();
      });
    };
    pass(client, upstream);
    pass(upstream, client);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const resetAll = () => {
    for (const { client, upstream } of pairs) {
      client.resetAndDestroy();
      upstream.destroy();
    }
  };
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get connections() {
      return pairs.size;
    },
    get accepted() {
      return accepted;
    },
    blackhole: () => {
      state = 'blackhole';
      for (const pair of pairs) pair.silent = true;
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
}
