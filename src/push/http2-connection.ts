import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { monotonic } from '../lib/monotonic.ts';
import { errorDetail, goawayDetail } from './channel-detail.ts';
import type { PendingRequest } from './channel-pending.ts';
import type { ChannelTimings } from './channel-timings.ts';
import type { ChannelEvents } from './http2-channel-types.ts';
import type { Dialled } from './http2-dial.ts';
import { openExchange, RequestHeaders } from './http2-exchange.ts';
import { Watchdog } from './http2-watchdog.ts';

/** Why a connection takes no more requests. */
export type LossCause = Parameters<ChannelEvents['channelLost']>[0]['cause'];

/** Why a stream ended without an answer; the peer's processing is known only for `refused` and `unprocessed`. */
export type StreamEnd =
  /** The peer refused this stream (REFUSED_STREAM): not processed. */
  | 'refused'
  /** Above the last stream id of a GOAWAY, or never sent: not processed. */
  | 'unprocessed'
  /** The connection broke under it: perhaps processed. */
  | 'lost'
  /** The peer reset this stream alone. */
  | 'reset';

/** What a connection tells the channel that owns it. */
export interface ConnectionOwner {
  /** There may be room for more: a stream closed or the peer's SETTINGS changed. */
  roomChanged(connection: Http2Connection): void;
  /** A stream closed while its request had no reply yet. */
  unanswered(pending: PendingRequest, end: StreamEnd): void;
  /** Called once: the connection takes no more requests; streams still open may finish. */
  ended(connection: Http2Connection, cause: LossCause, detail: string): void;
  /** Called once, last: the socket is gone. */
  gone(connection: Http2Connection): void;
}

/**
 * One HTTP/2 connection. States: open; ended (takes no more, streams that are open finish: after a GOAWAY or a renewal);
 * destroyed (its streams end as lost). A connection that breaks goes from open to destroyed at once.
 */
export class Http2Connection {
  readonly openedAt = monotonic();
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #requestHeaders: RequestHeaders;
  readonly #maxInFlight: number;
  readonly #timings: ChannelTimings;
  readonly #owner: ConnectionOwner;
  readonly #watchdog: Watchdog;
  #limit = 0;
  #openStreams = 0;
  #ended = false;
  #lastProcessed = Number.POSITIVE_INFINITY;
  #linger: NodeJS.Timeout | undefined;

  constructor(
    dialled: Dialled,
    options: { readonly authority: string; readonly maxInFlight: number; readonly timings: ChannelTimings },
    owner: ConnectionOwner,
  ) {
    this.#session = dialled.session;
    this.#socket = dialled.socket;
    this.#requestHeaders = new RequestHeaders(options.authority);
    this.#maxInFlight = options.maxInFlight;
    this.#timings = options.timings;
    this.#owner = owner;
    this.#readLimit();
    this.#watchdog = new Watchdog(
      {
        bytesRead: () => this.#socket.bytesRead,
        openStreams: () => this.#openStreams,
        ping: (answered) => this.#ping(answered),
        dead: () => this.#break('ping-timeout', `no answer within ${this.#timings.pingTimeoutMs} ms`),
      },
      options.timings,
    );
    this.#listen();
  }

  /** How many more requests it takes now. */
  get room(): number {
    if (this.#ended || this.#session.closed || this.#session.destroyed) return 0;
    return this.#limit - this.#openStreams;
  }

  /** Streams that are not closed yet. */
  get openStreams(): number {
    return this.#openStreams;
  }

  /** Sends a request; only while there is room. One that HTTP/2 cannot express fails as `malformed`. */
  send(pending: PendingRequest): void {
    const stream = openExchange(this.#session, this.#requestHeaders, pending, this.#closed);
    if (stream === undefined) {
      pending.fail('malformed');
      return;
    }
    pending.stream = stream;
    this.#openStreams++;
    this.#watchdog.requestSent();
  }

  /** Takes no more requests; closes when the open streams have finished. */
  retire(): void {
    this.#end('renewed', '');
    this.#finishWhenEmpty();
  }

  /** Ends everything on it now. */
  destroy(): void {
    this.#ended = true;
    this.#watchdog.stop();
    this.#session.destroy();
    this.#socket.destroy();
  }

  #listen(): void {
    this.#session
      .on('remoteSettings', () => {
        this.#readLimit();
        this.#owner.roomChanged(this);
      })
      .on('goaway', (code: number, lastStreamId: number, data?: NodeJS.ArrayBufferView) => {
        this.#lastProcessed = Math.min(this.#lastProcessed, lastStreamId);
        const detail = goawayDetail(code, data);
        // With an error code node:http2 destroys the session right after this event.
        if (code === constants.NGHTTP2_NO_ERROR) this.#end('goaway', detail);
        else this.#break('goaway', detail);
        this.#finishWhenEmpty();
      })
      .on('error', (error: Error) => this.#break('reset', errorDetail(error)))
      .on('close', () => this.#break('closed-by-peer', ''));
    // Ahead of node:http2's own listeners, which end the streams: the loss is known before its streams ask for replays.
    this.#socket.prependListener('error', (error: Error) => this.#break('reset', errorDetail(error)));
    this.#socket.prependListener('close', () => {
      clearTimeout(this.#linger);
      this.#break('closed-by-peer', '');
      this.#owner.gone(this);
    });
  }

  #readLimit(): void {
    const peers = this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
    this.#limit = Math.min(this.#maxInFlight, peers);
  }

  #ping(answered: () => void): void {
    if (this.#session.destroyed) return;
    // After a GOAWAY node:http2 sends no PING any more; SETTINGS must be acknowledged just the same.
    if (this.#session.closed) this.#session.settings({ enablePush: false }, answered);
    else this.#session.ping(answered);
  }

  /** Kept as one function for all streams, so that sending creates none for it. */
  readonly #closed = (pending: PendingRequest, stream: ClientHttp2Stream): void => {
    if (!this.#ended) this.#noticeLoss(stream);
    this.#openStreams--;
    if (pending.stream === stream) pending.stream = undefined;
    if (!pending.settled) this.#owner.unanswered(pending, this.#streamEnd(stream));
    if (this.#ended) this.#finishWhenEmpty();
    else this.#owner.roomChanged(this);
  };

  /** What node:http2 tells of a session by its streams only, or by its streams first. */
  #noticeLoss(stream: ClientHttp2Stream): void {
    if (this.#session.destroyed)
      this.#break('reset', stream.errored === null ? '' : errorDetail(stream.errored));
    else if (this.#session.closed) this.#end('reset', 'a frame could not be sent');
    else if (stream.id === undefined) this.#end('renewed', 'no stream ids are left');
  }

  #streamEnd(stream: ClientHttp2Stream): StreamEnd {
    const neverSent = stream.id === undefined;
    if (neverSent || stream.id > this.#lastProcessed) return 'unprocessed';
    if (this.#session.destroyed || this.#socket.destroyed) return 'lost';
    return stream.rstCode === constants.NGHTTP2_REFUSED_STREAM ? 'refused' : 'reset';
  }

  #end(cause: LossCause, detail: string): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#owner.ended(this, cause, detail);
  }

  #break(cause: LossCause, detail: string): void {
    this.#end(cause, detail);
    this.destroy();
  }

  /** A peer that does not close its side must not hold an old socket. */
  #finishWhenEmpty(): void {
    if (this.#openStreams > 0 || this.#linger !== undefined || this.#socket.destroyed) return;
    this.#watchdog.stop();
    this.#session.destroy();
    this.#linger = setTimeout(() => this.#socket.destroy(), this.#timings.lingerMs);
    this.#linger.unref();
  }
}
