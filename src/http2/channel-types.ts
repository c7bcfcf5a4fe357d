import type { IncomingHttpHeaders } from 'node:http2';

/** One request on a channel. */
export interface ChannelRequest {
  /** `:path`, already percent-encoded. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  /** Whom it is for: a recipient whose request breaks connections has its next ones sent alone. */
  readonly recipient: string;
  /** Monotonic milliseconds (`performance.now()`) after which no answer is of use. */
  readonly deadline: number;
  /** False: do not put it on the wire any more. */
  readonly wanted: () => boolean;
}

/** Why a request has no answer. */
export type ChannelFailure =
  /** No answer before the deadline, over a connection that lives. */
  | 'timeout'
  /** No connection could be made before the deadline. */
  | 'unreachable'
  /** The connection broke under it too often to try again. */
  | 'connection-lost'
  /** The peer reset this stream alone. */
  | 'stream-reset'
  /** The queue for the connection is full. */
  | 'queue-full'
  /** `wanted` said no. */
  | 'withdrawn'
  /** The channel was closed by us. */
  | 'closed'
  /** The answer is larger than the bound, or the request cannot be put in HTTP/2 (a forbidden header value). */
  | 'malformed'
  /** The peer ended the connection by a GOAWAY that answers everything it leaves unprocessed. */
  | 'dismissed'
  /** No connection can be made, for a reason that stayed the same for most of a second. */
  | 'connection-refused'
  | 'host-not-found'
  | 'no-route'
  /** The peer's certificate is not trusted, or it does not speak TLS as we do. */
  | 'tls-failed'
  | 'not-http2'
  /** A forward proxy answers CONNECT, and not with a tunnel. */
  | 'proxy-refused'
  /** The peer refuses the channel's client certificate by a TLS alert. */
  | 'certificate-expired'
  | 'certificate-revoked'
  | 'certificate-unknown-ca'
  | 'certificate-refused';

/** How a request ended: a value, never an exception. */
export type ChannelReply =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** As node:http2 gives them: names in lower case, with the pseudo-headers. */
      readonly headers: IncomingHttpHeaders;
      readonly body: string;
    }
  | FailedReply;

/** No answer came. `goaway`: the debug data of the GOAWAY, with `dismissed`. */
export interface FailedReply {
  readonly kind: 'failed';
  readonly reason: ChannelFailure;
  readonly goaway?: string;
}

/** Connections that are kept alive to one origin: one, and more while requests wait for a stream. */
export interface Channel {
  /** Never rejects. */
  request(request: ChannelRequest): Promise<ChannelReply>;
  /** Connects now, if no connection is open. */
  warm(): void;
  /** Sends what comes next over a fresh connection; what is in flight on the old ones may finish. */
  renew(): void;
  /** Ends everything in flight as `closed`. */
  close(): Promise<void>;
}

/** What a channel tells of itself: for log and metrics. `origin` is the peer's, e.g. `https://api.push.apple.com`. */
export interface ChannelEvents {
  channelConnected(event: { readonly origin: string; readonly tookMs: number }): void;
  /** Told of a try that failed, and of one that takes so long that another one is started beside it. */
  channelConnectFailed(event: {
    readonly origin: string;
    readonly error: Error;
    /** 0 also when another try is under way. */
    readonly retryInMs: number;
  }): void;
  /**
   * Told once for each connection that opened. `cause`: `goaway` with its code and body in `detail`, `ping-timeout`, `reset`,
   * `closed-by-peer`, `renewed` (replaced on purpose), `idle` (no longer needed beside others), `closed` (with the channel).
   */
  channelLost(event: {
    readonly origin: string;
    readonly cause: 'goaway' | 'ping-timeout' | 'reset' | 'closed-by-peer' | 'renewed' | 'idle' | 'closed';
    readonly detail: string;
    readonly inFlight: number;
    /** Its requests got what the peer said as their answer. */
    readonly dismissed?: boolean;
  }): void;
}
