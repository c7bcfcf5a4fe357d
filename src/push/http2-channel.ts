import { constants } from 'node:http2';
import { monotonic } from '../lib/monotonic.ts';
import type { ForwardProxy } from '../lib/proxy-route.ts';
import { Connector } from './channel-connector.ts';
import { PendingRequest } from './channel-pending.ts';
import { PendingQueue } from './channel-queue.ts';
import { ReplayPolicy } from './channel-replay.ts';
import { type ChannelTimings, DEFAULT_TIMINGS } from './channel-timings.ts';
import type { Channel, ChannelEvents, ChannelReply, ChannelRequest } from './http2-channel-types.ts';
import { type ConnectionOwner, Http2Connection, type LossCause, type StreamEnd } from './http2-connection.ts';
import type { Dialled } from './http2-dial.ts';

/** What a channel is made of. */
export interface Http2ChannelOptions {
  /** `https://host[:port]`; anything else throws. */
  readonly origin: string;
  /** Client certificate and its key, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Undefined: directly. */
  readonly proxy?: ForwardProxy | undefined;
  /** Most requests on the wire at once, whatever the peer allows; default 1000. */
  readonly maxInFlight?: number;
  /** Most requests that wait for the connection or for room on it; default 1000. */
  readonly maxQueue?: number;
  readonly events: ChannelEvents;
  readonly timings?: Partial<ChannelTimings>;
}

/** setTimeout takes no longer delay (2^31 - 1 ms). */
const LONGEST_TIMER_MS = 2_147_483_647;

/**
 * One kept connection to a push service, and the requests on it. A request is in one of: the queue (new ones), the
 * replays (sent before, they go first), a pause before its replay, or a stream; from each of them its deadline or its
 * reply takes it. The connection is open, or the connector is making one; old ones that still finish streams are kept
 * apart until their sockets are gone.
 */
class Http2Channel implements Channel, ConnectionOwner {
  readonly #origin: URL;
  readonly #options: {
    readonly authority: string;
    readonly maxInFlight: number;
    readonly timings: ChannelTimings;
  };
  readonly #maxQueue: number;
  readonly #events: ChannelEvents;
  readonly #connector: Connector;
  readonly #queue = new PendingQueue();
  readonly #replays = new PendingQueue();
  readonly #policy: ReplayPolicy;
  readonly #sockets = new Set<Http2Connection>();
  #current: Http2Connection | undefined;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;
  #gone: () => void = () => {};

  constructor(options: Http2ChannelOptions) {
    this.#origin = new URL(options.origin);
    if (this.#origin.protocol !== 'https:') {
      throw new TypeError(`a push service is reached by https: only, not by ${this.#origin.protocol}`);
    }
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    this.#options = { authority: this.#origin.host, maxInFlight: options.maxInFlight ?? 1000, timings };
    this.#maxQueue = options.maxQueue ?? 1000;
    this.#events = options.events;
    this.#policy = new ReplayPolicy((pending) => this.#replay(pending));
    const target = {
      origin: this.#origin,
      tls: options.tls,
      proxy: options.proxy,
      timeoutMs: timings.connectTimeoutMs,
    };
    this.#connector = new Connector(target, timings, {
      waiting: () => this.#queue.size + this.#replays.size + this.#policy.paused > 0,
      opened: (dialled) => this.#opened(dialled),
      failed: (error, retryInMs) =>
        this.#events.channelConnectFailed({ origin: this.#origin.origin, error, retryInMs }),
    });
  }

  request(request: ChannelRequest): Promise<ChannelReply> {
    return new Promise((resolve) => this.#accept(new PendingRequest(request, resolve)));
  }

  warm(): void {
    if (this.#current === undefined) this.#connector.want();
  }

  renew(): void {
    const now = monotonic();
    if (this.#current === undefined || now - this.#renewedAt < this.#options.timings.renewEveryMs) return;
    this.#renewedAt = now;
    this.#current.retire();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #accept(pending: PendingRequest): void {
    if (this.#closing !== undefined) {
      pending.fail('closed');
      return;
    }
    const remaining = pending.request.deadline - monotonic();
    if (!(remaining > 0)) {
      this.#expire(pending);
      return;
    }
    const connection = this.#queue.size + this.#replays.size === 0 ? this.#current : undefined;
    const sendable = connection !== undefined && connection.room > 0;
    if (!sendable && this.#queue.size >= this.#maxQueue) {
      pending.fail('queue-full');
      return;
    }
    pending.deadlineTimer = setTimeout(this.#expire, Math.min(remaining, LONGEST_TIMER_MS), pending);
    if (sendable) this.#dispatch(connection, pending);
    else {
      this.#queue.push(pending);
      this.warm();
    }
  }

  #dispatch(connection: Http2Connection, pending: PendingRequest): void {
    if (pending.request.wanted()) connection.send(pending);
    else pending.fail('withdrawn');
  }

  readonly #expire = (pending: PendingRequest): void => {
    const { stream } = pending;
    pending.fail(stream === undefined && this.#current === undefined ? 'unreachable' : 'timeout');
    stream?.close(constants.NGHTTP2_CANCEL);
  };

  #opened(dialled: Dialled): void {
    const connection = new Http2Connection(dialled, this.#options, this);
    this.#current = connection;
    this.#sockets.add(connection);
    this.#events.channelConnected({ origin: this.#origin.origin, tookMs: dialled.tookMs });
    this.roomChanged(connection);
  }

  #replay(pending: PendingRequest): void {
    this.#replays.push(pending);
    if (this.#current !== undefined) this.roomChanged(this.#current);
    else this.warm();
  }

  /** From the connection: sends what waits, oldest first, while there is room. */
  roomChanged(connection: Http2Connection): void {
    if (connection !== this.#current) return;
    while (connection.room > 0) {
      const pending = this.#replays.shift() ?? this.#queue.shift();
      if (pending === undefined) return;
      this.#dispatch(connection, pending);
    }
  }

  /** From the connection: a request has to be sent again, or fails. */
  unanswered(pending: PendingRequest, end: StreamEnd): void {
    if (this.#closing !== undefined) pending.fail('closed');
    else if (this.#policy.apply(pending, end) === 'peer-refuses') this.renew();
  }

  /** From the connection: the next one is made at once. */
  ended(connection: Http2Connection, cause: LossCause, detail: string): void {
    if (connection !== this.#current) return;
    this.#current = undefined;
    const openForMs = monotonic() - connection.openedAt;
    if (cause === 'renewed') this.#connector.replace(openForMs);
    else this.#connector.lost(openForMs);
    this.#events.channelLost({
      origin: this.#origin.origin,
      cause,
      detail,
      inFlight: connection.openStreams,
    });
  }

  /** From the connection: its socket is closed. */
  gone(connection: Http2Connection): void {
    this.#sockets.delete(connection);
    if (this.#sockets.size === 0) this.#gone();
  }

  async #end(): Promise<void> {
    this.#current = undefined;
    this.#policy.close();
    for (const queue of [this.#replays, this.#queue]) {
      for (let pending = queue.shift(); pending !== undefined; pending = queue.shift())
        pending.fail('closed');
    }
    const allGone = new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
    for (const connection of this.#sockets) connection.destroy();
    await new Promise<void>((resolve) => this.#connector.close(resolve));
    if (this.#sockets.size > 0) await allGone;
  }
}

/** Makes a channel; it connects with the first request, or with `warm`. Throws for an origin that is not `https:`. */
export const createHttp2Channel = (options: Http2ChannelOptions): Channel => new Http2Channel(options);
