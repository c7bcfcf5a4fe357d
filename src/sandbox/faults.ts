/** How new connections fare while old ones are mute: served, accepted but never answered, or reset at once. */
export type FreshConnections = 'healthy' | 'mute' | 'reset';

/** An answer in the place of the right one. */
export interface AnswerFault {
  readonly kind: 'answer';
  readonly status: number;
  /** Apple's `reason`, Google's FCM `errorCode`, the token endpoint's `error`. */
  readonly reason?: string;
  /** Apple's 410: milliseconds since the epoch at which the token died. */
  readonly timestamp?: number;
  /** The `retry-after` header, as it shall appear: seconds or an HTTP date. */
  readonly retryAfter?: string;
  /** Google: which kind of detail the error carries; `fcm-error` unless told. */
  readonly detail?: 'fcm-error' | 'bad-request' | 'none';
  /** The body to send instead of the one made of `reason`. */
  readonly body?: string;
}

/** What can go wrong with a request at Apple or Google. */
export type Fault =
  | AnswerFault
  /** The request is taken up after `ms` milliseconds, then served as usual. */
  | { readonly kind: 'delay'; readonly ms: number }
  /** Interim headers (103) at once, the answer after `ms` milliseconds. */
  | { readonly kind: 'slow-headers'; readonly ms: number }
  /** Headers at once, the body after `ms` milliseconds. */
  | { readonly kind: 'slow-body'; readonly ms: number }
  /** The connection's MAX_CONCURRENT_STREAMS changes to this, then the request is served as usual. */
  | { readonly kind: 'stream-limit'; readonly streams: number }
  /** The stream is never answered; the connection lives. */
  | { readonly kind: 'hang' }
  /** RST_STREAM with this HTTP/2 error code (RFC 9113 section 7). */
  | { readonly kind: 'reset'; readonly code: number }
  /** REFUSED_STREAM: not processed, safe to send again (RFC 9113 section 8.7). */
  | { readonly kind: 'refuse' }
  /** The TCP connection is reset under every stream on it. */
  | { readonly kind: 'disconnect' }
  /**
   * GOAWAY with `{"reason":…}` as its debug data. `processed`: this stream is below the last id and is answered; else
   * it is above and is not processed (RFC 9113 section 6.8).
   */
  | { readonly kind: 'goaway'; readonly processed: boolean; readonly reason: string; readonly code?: number }
  /** The connection lives on as TCP, but nothing ever comes back over it, not even PING's answer. */
  | { readonly kind: 'mute'; readonly fresh: FreshConnections }
  /** Bytes that are neither TLS nor HTTP/2 come over the connection. */
  | { readonly kind: 'garbage' }
  /** An answer whose body has this many bytes. */
  | { readonly kind: 'oversized'; readonly status: number; readonly bytes: number };

/** A fault in a few words, for a person. */
export function faultWords(fault: Fault): string {
  return fault.kind === 'answer' ? `${fault.status} ${fault.reason ?? ''}`.trim() : fault.kind;
}

/** What a stand-in for a push service leaves to its owner. */
export interface PushHooks {
  /** The fault for a request for this token that no script has one for. */
  readonly faultFor?: ((token: string) => Fault | undefined) | undefined;
  /** Called for each request that is refused (with the push service's word) or meets a fault (with `faultWords`). */
  readonly onTrouble?: ((token: string, words: string) => void) | undefined;
}

/** Whom a fault hits, and for how long. */
export interface FaultScope {
  /** Only requests for this push token. */
  readonly token?: string;
  /** Only the next so many requests; always, unless told. */
  readonly times?: number;
  /** The push reaches the phone although its sender does not learn it; false unless told. */
  readonly delivered?: boolean;
}
