import { type ClientHttp2Session, type ClientHttp2Stream, constants } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { monotonic } from '../lib/monotonic.ts';
import { certificateRefusal } from './channel-connect-error.ts';
import { errorDetail, goawayDetail, goawayText } from './channel-detail.ts';
import type { PendingRequest } from './channel-pending.ts';
import type { FailedReply } from './channel-types.ts';
import type {
  ConnectionOptions,
  ConnectionOwner,
  ConnectionStanding,
  LossCause,
} from './connection-types.ts';
import type { Dialled } from './dial.ts';
import { openExchange, RequestHeaders } from './exchange.ts';
import { complainsOfPings, finishStreams, Processed } from './goaway.ts';
import { Watchdog } from './watchdog.ts';

/** A peer that drops the connection because of a request does so within two round trips and this, milliseconds. */
const ALONE_MS = { spare: 25, most: 250 };

/**
 * One HTTP/2 connection. States: open; ended (takes no more, streams that are open finish: after a GOAWAY or a renewal);
 * destroyed (its streams end as lost). A connection that breaks goes from open to destroyed at once.
 */
export class Http2Connection {
  readonly openedAt = monotonic();
  readonly #session: ClientHttp2Session;
  readonly #socket: TLSSocket;
  readonly #requestHeaders: RequestHeaders;
  readonly #options: ConnectionOptions;
  readonly #owner: ConnectionOwner<Http2Connection>;
  readonly #watchdog: Watchdog;
  readonly #aloneMs: number;
  readonly #processed = new Processed();
  #limit = 0;
  #openStreams = 0;
  #refusal: FailedReply | undefined;
  #ended = false;
  #linger: NodeJS.Timeout | undefined;
  /** Runs while it carries a request that is to be alone. */
  #alone: NodeJS.Timeout | undefined;

  constructor(dialled: Dialled, options: ConnectionOptions, owner: ConnectionOwner<Http2Connection>) {
    this.#session = dialled.session;
    this.#socket = dialled.socket;
    this.#requestHeaders = new RequestHeaders(options.authority);
    this.#options = options;
    this.#owner = owner;
    this.#aloneMs = Math.min(ALONE_MS.most, ALONE_MS.spare + 2 * dialled.handshakeMs);
    this.#readLimit();
    this.#watchdog = new Watchdog(
      {
        bytesRead: () => this.#socket.bytesRead,
        openStreams: () => this.#openStreams,
        ask: (how, answered) => this.#ask(how, answered),
        dead: (silentMs) => this.#break('ping-timeout', `no answer within ${Math.round(silentMs)} ms`),
      },
      { ...options, roundTripMs: dialled.handshakeMs },
    );
    this.#listen();
  }

  /** How many more requests it takes now. */
  get room(): number {
    if (this.#ended || this.#alone !== undefined) return 0;
    if (this.#session.closed || this.#session.destroyed) return 0;
    return this.#limit - this.#openStreams;
  }

  /** False: the peer allows no stream at all. */
  get takesRequests(): boolean {
    return this.#limit > 0;
  }

  /** How many requests were answered. */
  get served(): number {
    return this.#processed.answered;
  }

  /** Whether it did its job. */
  get standing(): ConnectionStanding {
    return this.#processed.standing;
  }

  /** The peer said why it wants no request of ours, and that was the answer to all. */
  get dismissed(): boolean {
    return this.#refusal !== undefined;
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

  /** Sends a request beside which nothing is sent until it ends, for about two round trips; only while nothing is in flight. */
  sendAlone(pending: PendingRequest): void {
    pending.alone = true;
    this.#alone = setTimeout(() => {
      this.#alone = undefined;
      pending.alone = false;
      this.#owner.roomChanged();
    }, this.#aloneMs);
    this.send(pending);
  }

  /** Takes no more requests; closes when the open streams have finished. */
  retire(cause: 'renewed' | 'idle', detail = ''): void {
    this.#end(cause, detail);
    this.#finishWhenEmpty();
  }

  /** Ends everything on it now. */
  destroy(): void {
    this.#ended = true;
    this.#endAlone();
    this.#watchdog.stop();
    this.#session.destroy();
    this.#socket.destroy();
  }

  #listen(): void {
    this.#session
      .on('remoteSettings', () => {
        this.#readLimit();
        this.#owner.roomChanged();
      })
      .on('goaway', (code: number, lastStreamId: number, data?: NodeJS.ArrayBufferView) => {
        this.#goaway(code, lastStreamId, goawayText(data));
      });
    // Ahead of node:http2's own listeners, which end the streams: the loss is known before its streams ask for replays.
    this.#socket.prependListener('error', (error: Error) => this.#failed(error));
    this.#socket.prependListener('close', () => {
      clearTimeout(this.#linger);
      this.#break('closed-by-peer', '');
      this.#owner.gone(this);
    });
  }

  #goaway(code: number, lastStreamId: number, text: string): void {
    this.#processed.goaway(code, lastStreamId, this.#openStreams);
    // Apple may count the only stream as processed and answer nothing but this.
    if (text !== '' && (lastStreamId === 0 || this.#openStreams <= 1))
      this.#refuse({ kind: 'failed', reason: 'dismissed', goaway: text });
    const detail = goawayDetail(code, text);
    const tooManyPings = complainsOfPings(code, text);
    if (tooManyPings) {
      this.#watchdog.complained();
      if (this.#openStreams > 0) finishStreams(this.#session);
    }
    // With another error code node:http2 destroys the session right after this event.
    if (tooManyPings || code === constants.NGHTTP2_NO_ERROR) this.#end('goaway', detail);
    else this.#break('goaway', detail);
    this.#finishWhenEmpty();
  }

  #failed(error: Error): void {
    const reason = this.#options.showsCertificate ? certificateRefusal(error) : undefined;
    if (reason !== undefined) this.#refuse({ kind: 'failed', reason });
    this.#break('reset', errorDetail(error));
  }

  #refuse(reply: FailedReply): void {
    if (!this.#ended && this.served === 0 && this.#owner.refused(reply)) this.#refusal = reply;
  }

  #readLimit(): void {
    const peers = this.#session.remoteSettings.maxConcurrentStreams ?? Number.POSITIVE_INFINITY;
    this.#limit = Math.min(this.#options.maxInFlight, peers);
  }

  #ask(how: 'ping' | 'settings', answered: () => void): void {
    if (this.#session.destroyed) return;
    // After a GOAWAY node:http2 sends no PING any more.
    if (how === 'settings' || this.#session.closed) this.#session.settings({ enablePush: false }, answered);
    else this.#session.ping(answered);
  }

  /** Kept as one function for all streams, so that sending creates none for it. */
  readonly #closed = (pending: PendingRequest, stream: ClientHttp2Stream): void => {
    if (!this.#ended) this.#noticeLoss(stream);
    this.#openStreams--;
    this.#endAlone();
    if (pending.stream === stream) pending.stream = undefined;
    if (!pending.settled) this.#unanswered(pending, stream);
    else if (stream.rstCode === constants.NGHTTP2_NO_ERROR) this.#processed.answer();
    if (this.#ended) this.#finishWhenEmpty();
    else this.#owner.roomChanged();
  };

  #endAlone(): void {
    clearTimeout(this.#alone);
    this.#alone = undefined;
  }

  #unanswered(pending: PendingRequest, stream: ClientHttp2Stream): void {
    const broken = this.#session.destroyed || this.#socket.destroyed;
    const end = this.#processed.endOf(stream, broken);
    if (this.#refusal === undefined || end === 'refused' || end === 'reset')
      this.#owner.unanswered(pending, end);
    else pending.settle(this.#refusal);
  }

  /** What node:http2 tells of a session by its streams only, or by its streams first. */
  #noticeLoss(stream: ClientHttp2Stream): void {
    if (this.#session.destroyed)
      this.#break('reset', stream.errored === null ? '' : errorDetail(stream.errored));
    else if (this.#session.closed) this.#end('reset', 'a frame could not be sent');
    else if (stream.id === undefined) this.#end('renewed', 'no stream ids are left');
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
    this.#linger = setTimeout(() => this.#socket.destroy(), this.#options.timings.lingerMs);
    this.#linger.unref();
  }
}
