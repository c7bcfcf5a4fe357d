import { connect, createServer, type Socket } from 'node:net';
import type { FreshConnections } from './faults.ts';
import { listenOnLoopback } from './listen-on-loopback.ts';
import { resetSocket } from './reset-socket.ts';

/**
 * Bytes between clients and a server on loopback, until told otherwise. Node's HTTP/2 answers PING by itself, so only
 * somebody in between can play a peer that is dead while its TCP connection lives. A connection is named by the port
 * from which the relay reaches the server: the server's `remotePort`.
 */
export interface Relay {
  readonly port: number;
  /** Connections accepted since the start. */
  accepted(): number;
  /** Connections open now. */
  open(): number;
  /** Every live connection goes mute for good; `fresh` says how new ones fare. */
  silence(fresh: FreshConnections): void;
  /** New connections are healthy again. */
  restore(): void;
  mute(connection: number): void;
  reset(connection: number): void;
  resetAll(): void;
  /** Every live connection is reset when its client next says something, as where a firewall has forgotten it. */
  resetOnNextByte(): void;
  inject(connection: number, bytes: Uint8Array): void;
  close(): Promise<void>;
}

/** A client's socket and the one that carries its bytes on; none where the connection was born mute. */
interface Pair {
  readonly client: Socket;
  readonly upstream: Socket | undefined;
}

function muteOf({ client, upstream }: Pair): void {
  // Reading on and throwing away keeps the client's own close visible.
  if (upstream !== undefined) {
    client.unpipe(upstream);
    upstream.unpipe(client);
    upstream.pause();
  }
  client.resume();
}

function join(client: Socket, target: number): Socket {
  const upstream = connect({ port: target, host: '127.0.0.1', noDelay: true });
  client.pipe(upstream);
  upstream.pipe(client);
  // A broken connection is no news to the relay: it passes the end on, behind what was said before it.
  upstream.on('error', () => resetSocket(client));
  upstream.on('close', () => client.destroySoon());
  client.on('close', () => upstream.destroySoon());
  return upstream;
}

/** Starts a relay on 127.0.0.1 to the server on `target`; port 0 picks a free one. */
export async function startRelay(options: {
  readonly target: number;
  readonly port: number;
}): Promise<Relay> {
  const pairs = new Set<Pair>();
  let accepted = 0;
  let fresh: FreshConnections = 'healthy';

  const server = createServer({ noDelay: true }, (client) => {
    accepted += 1;
    client.on('error', () => client.destroy());
    if (fresh === 'reset') {
      resetSocket(client);
      return;
    }
    const upstream = fresh === 'healthy' ? join(client, options.target) : undefined;
    const pair = { client, upstream };
    pairs.add(pair);
    client.on('close', () => pairs.delete(pair));
    if (upstream === undefined) muteOf(pair);
  });
  const port = await listenOnLoopback(server, options.port);

  const of = (connection: number): Pair | undefined => {
    for (const pair of pairs) if (pair.upstream?.localPort === connection) return pair;
    return undefined;
  };
  return {
    port,
    accepted: () => accepted,
    open: () => pairs.size,
    silence: (next) => {
      fresh = next;
      for (const pair of pairs) muteOf(pair);
    },
    restore: () => {
      fresh = 'healthy';
    },
    mute: (connection) => {
      const pair = of(connection);
      if (pair !== undefined) muteOf(pair);
    },
    reset: (connection) => {
      const pair = of(connection);
      if (pair !== undefined) resetSocket(pair.client);
    },
    resetAll: () => {
      for (const { client } of pairs) resetSocket(client);
    },
    resetOnNextByte: () => {
      for (const { client, upstream } of pairs) {
        if (upstream !== undefined) client.unpipe(upstream);
        client.once('data', () => resetSocket(client));
        client.resume();
      }
    },
    inject: (connection, bytes) => of(connection)?.client.write(bytes),
    close: () =>
      new Promise((resolve, reject) => {
        server.close((error) => (error === undefined ? resolve() : reject(error)));
        for (const { client } of pairs) client.destroy();
      }),
  };
}
