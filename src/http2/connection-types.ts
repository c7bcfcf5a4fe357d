import type { PingPace } from './channel-pace.ts';
import type { PendingRequest } from './channel-pending.ts';
import type { ChannelTimings } from './channel-timings.ts';
import type { ChannelEvents, FailedReply } from './channel-types.ts';

/** Why a connection takes no more requests. */
export type LossCause = Parameters<ChannelEvents['channelLost']>[0]['cause'];

/** Why a stream ended without an answer; the peer's processing is known only for the first three. */
export type StreamEnd =
  /** The peer refused this stream (REFUSED_STREAM): not processed. */
  | 'refused'
  /** Above the last stream id of a GOAWAY, or never sent: not processed. */
  | 'unprocessed'
  /** The same, on a connection that took others: it was full, nothing is broken. */
  | 'passed-over'
  /** The connection broke under it: perhaps processed. */
  | 'lost'
  /** The peer reset this stream alone. */
  | 'reset';

/** What a connection was good for. */
export type ConnectionStanding =
  /** It answered requests, and had no GOAWAY with an error. */
  | 'served'
  /** It answered none yet, but a GOAWAY without error says that it will answer those it took. */
  | 'promised'
  | 'unproven';

/** What a connection tells the channel that owns it. */
export interface ConnectionOwner<Connection> {
  /** There may be room for more: a stream closed or the peer's SETTINGS changed. */
  roomChanged(): void;
  /** A stream closed while its request had no reply yet. */
  unanswered(pending: PendingRequest, end: StreamEnd): void;
  /**
   * The peer says, by a GOAWAY before it processed anything or by a TLS alert, why it wants no request of ours. True: that
   * is the reply to those on this connection as well; false: they are sent again.
   */
  refused(reply: FailedReply): boolean;
  /** Called once: the connection takes no more requests; streams still open may finish. */
  ended(connection: Connection, cause: LossCause, detail: string): void;
  /** Called once, last: the socket is gone. */
  gone(connection: Connection): void;
}

/** What a connection is made with, beside its socket. */
export interface ConnectionOptions {
  readonly authority: string;
  readonly maxInFlight: number;
  readonly timings: ChannelTimings;
  readonly pace: PingPace;
  readonly idlePings: boolean;
  readonly showsCertificate: boolean;
}
