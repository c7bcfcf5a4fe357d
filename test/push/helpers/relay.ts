import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

/** What a relay does with its connections: forward, swallow all bytes in silence, or reset. */
export type RelayMode = 'forward' | 'mute' | 'reset';

/** A TCP relay between channel and server that can fail like a network. */
export interface Relay {
  readonly origin: string;
  /** Connections ever accepted. */
  readonly accepted: () => number;
  /** Connections open now. */
  readonly open: () => number;
  /** Stops forwarding on the connections that are open now, without closing them. */
  muteOpen(): void;
  /** The same, for the oldest connection only. */
  muteOldest(): void;
  /** Resets (RST) the connections that are open now. */
  resetOpen(): void;
  /** What happens to connections that come from now on. */
  newConnections(mode: RelayMode): void;
  close(): Promise<void>;
}

interface Pair {
  readonly near: Socket;
  readonly far: Socket | undefined;
  muted: boolean;
}

function swallow(): void {}

/** Starts a relay to a port on loopback; everything, TCP's handshake aside, takes `delayMs` each way. */
export async function startRelay(targetPort: number, delayMs = 0): Promise<Relay> {
  const late = delayMs === 0 ? (run: () => void) => run() : (run: () => void) => setTimeout(run, delayMs);
  const pairs = new Set<Pair>();
  let mode: RelayMode = 'forward';
  let accepted = 0;

  const server = createServer((near) => {
    accepted++;
    near.on('error', swallow);
    if (mode === 'reset') {
      near.resetAndDestroy();
      return;
    }
    const far = mode === 'forward' ? connect(targetPort, '127.0.0.1') : undefined;
    const pair: Pair = { near, far, muted: mode === 'mute' };
    pairs.add(pair);
    near.on('data', (bytes) => {
      late(() => {
        if (!pair.muted) far?.write(bytes);
      });
    });
    near.on('close', () => {
      pairs.delete(pair);
      late(() => far?.destroy());
    });
    far?.on('error', swallow);
    far?.on('data', (bytes) => {
      late(() => {
        if (!pair.muted) near.write(bytes);
      });
    });
    far?.on('close', () => {
      late(() => {
        if (!pair.muted) near.destroy();
      });
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    origin: `https://127.0.0.1:${port}`,
    accepted: () => accepted,
    open: () => pairs.size,
    muteOpen: () => {
      for (const pair of pairs) pair.muted = true;
    },
    muteOldest: () => {
      for (const pair of [...pairs].slice(0, 1)) pair.muted = true;
    },
    resetOpen: () => {
      for (const pair of pairs) pair.near.resetAndDestroy();
    },
    newConnections: (next) => {
      mode = next;
    },
    close: async () => {
      for (const pair of pairs) {
        pair.near.destroy();
        pair.far?.destroy();
      }
      server.close();
      await once(server, 'close');
    },
  };
}
