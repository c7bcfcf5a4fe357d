import type { Clock } from '../lib/clock.ts';
import { createRefCounted, type Lease } from '../lib/ref-counted.ts';
import type { Channel, ChannelReply, ChannelRequest } from './channel-types.ts';

/** Shortest time between two replacements of a connection, milliseconds: Apple takes quick reconnects for an attack. */
const RENEW_PAUSE_MS = 1_000;

/** What a channel is made for. */
export interface ChannelSpec {
  /** The peer, e.g. `https://api.push.apple.com`. */
  readonly origin: string;
  /** The client certificate of a certificate app, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** False: the push service wants no PING while nothing is in flight. */
  readonly idlePings?: boolean;
  /** True for debug data of a GOAWAY that is the push service's answer to what it leaves unprocessed. */
  readonly isAnswer?: (goaway: string) => boolean;
}

/** A channel that several apps may share. */
export interface SharedChannel {
  /** Never rejects. */
  request(request: ChannelRequest): Promise<ChannelReply>;
  warm(): void;
  /** Calls `listener` with each connection that is made, until the result is called. */
  onConnected(listener: () => void): () => void;
  /**
   * Replaces the connection after a bad answer to a request that was made at `askedAt` (monotonic ms). Does nothing
   * when the connection was replaced since, so that a burst of bad answers costs one connection.
   */
  renewAfter(askedAt: number): void;
}

/** Channels by origin and credential: apps with the same key share one, because Apple limits connections. */
export interface ChannelPool {
  /** `credentialId` names the credential; the channel is closed with its last lease. */
  lease(spec: ChannelSpec, credentialId: string): Lease<SharedChannel>;
  /** How many channels are open. */
  size(): number;
}

/** Makes a channel that calls `connected` with each connection it makes. */
export type CreateChannel = (spec: ChannelSpec, connected: () => void) => Channel;

/** Parts of a pool. */
export interface ChannelPoolOptions {
  readonly createChannel: CreateChannel;
  readonly clock: Clock;
}

/** Makes an empty pool; it needs no closing of its own, each lease closes what it holds. */
export function createChannelPool(options: ChannelPoolOptions): ChannelPool {
  const { createChannel, clock } = options;
  const channels = createRefCounted<ChannelSpec, SharedChannel & Pick<Channel, 'close'>>(
    (spec) => share(createChannel, spec, clock),
    (channel) => channel.close(),
  );
  return {
    lease: (spec, credentialId) => channels.lease(`${spec.origin} ${credentialId}`, spec),
    size: channels.size,
  };
}

function share(
  createChannel: CreateChannel,
  spec: ChannelSpec,
  clock: Clock,
): SharedChannel & Pick<Channel, 'close'> {
  const listeners = new Set<() => void>();
  const channel = createChannel(spec, () => {
    for (const listener of listeners) listener();
  });
  let renewedAt = Number.NEGATIVE_INFINITY;
  return {
    request: (request) => channel.request(request),
    warm: () => channel.warm(),
    close: () => channel.close(),
    onConnected: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    renewAfter: (askedAt) => {
      const now = clock.now();
      if (askedAt < renewedAt || now - renewedAt < RENEW_PAUSE_MS) return;
      renewedAt = now;
      channel.renew();
    },
  };
}
