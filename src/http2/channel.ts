import { monotonic } from '../lib/monotonic.ts';
import type { ForwardProxy } from '../lib/proxy-route.ts';
import type { ConnectFailure } from './channel-connect-error.ts';
import { Connections } from './channel-connections.ts';
import { Connector, type Need } from './channel-connector.ts';
import { Dispatcher } from './channel-dispatch.ts';
import { Hopeless } from './channel-hopeless.ts';
import type { PingPace } from './channel-pace.ts';
import { PendingRequest } from './channel-pending.ts';
import { type ChannelTimings, DEFAULT_TIMINGS } from './channel-timings.ts';
import type { Channel, ChannelEvents, ChannelReply, ChannelRequest, FailedReply } from './channel-types.ts';
import { WaitingRequests } from './channel-waiting.ts';
import { Http2Connection } from './connection.ts';
import type { ConnectionOptions, ConnectionOwner, LossCause, StreamEnd } from './connection-types.ts';
import type { Dialled } from './dial.ts';

function never(): boolean {
  return false;
}

/**
 * Kept connections to a push service; the dispatcher puts requests on them. One connection is open, or the connector is
 * making it; more while requests wait for a stream. Old ones that still finish streams are kept apart until their sockets
 * are gone.
 */
class Http2Channel implements Channel, ConnectionOwner<Http2Connection> {
  readonly #origin: URL;
  readonly #options: ConnectionOptions;
  readonly #isAnswer: (goaway: string) => boolean;
  readonly #events: ChannelEvents;
  readonly #connector: Connector;
  readonly #open: Connections;
  readonly #waiting = new WaitingRequests();
  readonly #hopeless: Hopeless;
  readonly #dispatcher: Dispatcher;
  readonly #sockets = new Set<Http2Connection>();
  /** Those of them that have yet to serve what they took. */
  readonly #promised = new Set<Http2Connection>();
  #growing = false;
  #renewedAt = Number.NEGATIVE_INFINITY;
  #closing: Promise<void> | undefined;
  #gone: () => void = () => {};

  constructor(options: Http2ChannelOptions) {
    this.#origin = new URL(options.origin);
    if (this.#origin.protocol !== 'https:') {
      throw new TypeError(`a push service is reached by https: only, not by ${this.#origin.protocol}`);
    }
    const timings = { ...DEFAULT_TIMINGS, ...options.timings };
    const { maxInFlight, maxQueue, pace } = options;
    this.#options = {
      authority: this.#origin.host,
      maxInFlight,
      timings,
      pace,
      idlePings: options.idlePings ?? true,
      showsCertificate: options.tls !== undefined,
    };
    this.#isAnswer = options.isAnswer ?? never;
    this.#events = options.events;
    this.#hopeless = new Hopeless(this.#waiting, timings.hopelessAfterMs);
    this.#open = new Connections(timings, maxInFlight, {
      waitingSince: () => this.#waiting.since,
      grow: () => this.#grow(),
    });
    this.#dispatcher = new Dispatcher({
      waiting: this.#waiting,
      open: this.#open,
      maxQueue,
      connect: () => this.#connector.want(),
    });
    const target = { origin: this.#origin, tls: options.tls, proxy: options.proxy };
    this.#connector = new Connector(target, timings, {
      need: () => this.#need(),
      opened: (dialled) => this.#opened(dialled),
      failed: (error, failure, retryInMs) => this.#connectFailed(error, failure, retryInMs),
    });
  }

  request(request: ChannelRequest): Promise<ChannelReply> {
    return new Promise((resolve) => {
      const pending = new PendingRequest(request, resolve);
      if (this.#closing === undefined) this.#dispatcher.accept(pending);
      else pending.fail('closed');
    });
  }

  warm(): void {
    if (this.#open.size === 0) this.#connector.want();
  }

  renew(): void {
    const now = monotonic();
    if (this.#open.size === 0 || now - this.#renewedAt < this.#options.timings.renewEveryMs) return;
    this.#renewedAt = now;
    this.#open.renew();
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  #need(): Need {
    const { waits } = this.#dispatcher;
    if (this.#open.size === 0) return waits ? 'waiting' : 'kept';
    return waits && this.#growing ? 'more' : 'none';
  }

  #grow(): void {
    this.#growing = true;
    this.#connector.want();
  }

  #opened(dialled: Dialled): void {
    const connection = new Http2Connection(dialled, this.#options, this);
    this.#growing = false;
    this.#hopeless.over();
    this.#sockets.add(connection);
    this.#open.add(connection);
    this.#events.channelConnected({ origin: this.#origin.origin, tookMs: dialled.tookMs });
    this.roomChanged();
  }

  #connectFailed(error: Error, failure: ConnectFailure, retryInMs: number): void {
    this.#events.channelConnectFailed({ origin: this.#origin.origin, error, retryInMs });
    if (this.#open.size > 0) return;
    const { certificate, certain } = failure;
    if (certificate !== undefined) this.#waiting.fail({ kind: 'failed', reason: certificate });
    else this.#hopeless.failed(certain);
  }

  /** From a connection: what waits may be sent now. */
  roomChanged(): void {
    this.#dispatcher.sendWaiting();
  }

  /** From a connection: a request has to be sent again, or fails. */
  unanswered(pending: PendingRequest, end: StreamEnd): void {
    if (this.#closing !== undefined) pending.fail('closed');
    else if (this.#dispatcher.unanswered(pending, end) === 'peer-refuses') this.renew();
  }

  /** From a connection: the peer says why it wants no request. Where another connection is open, that speaks for us. */
  refused(reply: FailedReply): boolean {
    if (this.#open.size > 1 || (reply.goaway !== undefined && !this.#isAnswer(reply.goaway))) return false;
    this.#waiting.fail(reply);
    return true;
  }

  /** From a connection: the next one is made at once, if one is needed. */
  ended(connection: Http2Connection, cause: LossCause, detail: string): void {
    if (!this.#open.remove(connection)) return;
    const onPurpose = cause === 'renewed' || cause === 'idle';
    if (this.#open.size === 0) this.#hopeless.lost();
    // What waits beside other connections would have gone to this one.
    else if (!onPurpose) this.#growing = true;
    const standing = onPurpose ? 'served' : connection.standing;
    if (standing === 'promised') this.#promised.add(connection);
    this.#connector.ended(standing, monotonic() - connection.openedAt);
    this.#tellLost(connection, cause, detail);
  }

  /** From a connection: its socket is closed. */
  gone(connection: Http2Connection): void {
    if (this.#promised.delete(connection)) this.#connector.promiseOver(connection.standing === 'served');
    this.#sockets.delete(connection);
    if (this.#sockets.size === 0) this.#gone();
  }

  #tellLost(connection: Http2Connection, cause: LossCause, detail: string): void {
    const { openStreams: inFlight } = connection;
    this.#events.channelLost({
      origin: this.#origin.origin,
      cause,
      detail,
      inFlight,
      ...(connection.dismissed && { dismissed: true }),
    });
  }

  async #end(): Promise<void> {
    for (const connection of this.#open.clear()) this.#tellLost(connection, 'closed', '');
    this.#dispatcher.close();
    this.#hopeless.over();
    const allGone = new Promise<void>((resolve) => {
      this.#gone = resolve;
    });
    for (const connection of this.#sockets) connection.destroy();
    await new Promise<void>((resolve) => this.#connector.close(resolve));
    if (this.#sockets.size > 0) await allGone;
  }
}

/** Makes a channel; it connects with the first request, or with `warm`. Throws for an origin that is not `https:`. */
export function createHttp2Channel(options: Http2ChannelOptions): Channel {
  return new Http2Channel(options);
}

/** What a channel is made of. */
export interface Http2ChannelOptions {
  /** `https://host[:port]`; anything else throws. */
  readonly origin: string;
  /** Client certificate and its key, PEM. */
  readonly tls?: { readonly cert: string; readonly key: string };
  /** Undefined: directly. */
  readonly proxy?: ForwardProxy | undefined;
  /** False: the peer wants no PING while nothing is in flight; default true. */
  readonly idlePings?: boolean;
  /** True for debug data of a GOAWAY that answers the requests it leaves unprocessed; default: none does. */
  readonly isAnswer?: (goaway: string) => boolean;
  /** Shared by the channels to one origin. */
  readonly pace: PingPace;
  /** Most requests on the wire at once, whatever the peer allows. */
  readonly maxInFlight: number;
  /** Most requests that wait for the connection or for room on it. */
  readonly maxQueue: number;
  readonly events: ChannelEvents;
  readonly timings?: Partial<ChannelTimings>;
}
