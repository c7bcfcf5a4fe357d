/** How long a channel waits for what, all in milliseconds. */
export interface ChannelTimings {
  /** Name look-up, TCP, TLS and the peer's SETTINGS together: how long one try may take. */
  readonly connectTimeoutMs: number;
  /** A try that takes longer gets another one beside it; twice this before each further one. */
  readonly connectAgainMs: number;
  /** How long a request waits for a connection that certainly cannot be made, e.g. because nothing listens. */
  readonly hopelessAfterMs: number;
  /** Silence of the peer, with a request in flight, after which it is asked by PING whether it lives; longer on a slow path. */
  readonly slowAfterMs: number;
  /** Silence after a PING that means that the connection is dead; longer on a slow path. */
  readonly pingTimeoutMs: number;
  /** Between PINGs while nothing is in flight, unless the peer wants none; routers drop flows that stay idle. */
  readonly idlePingMs: number;
  /** First delay between tries to connect, once trying at once has failed. */
  readonly retryBaseMs: number;
  /** Longest delay between tries to connect while requests wait. */
  readonly retryWaitingCapMs: number;
  /** Longest delay between tries to connect while no request waits. */
  readonly retryIdleCapMs: number;
  /** A connection that lived this long starts the delays anew; Apple takes fast opening and closing for an attack. */
  readonly stableAfterMs: number;
  /** Shortest time between two renewals asked for by `renew`. */
  readonly renewEveryMs: number;
  /** How long requests wait for a stream before another connection is made, and between two such connections. */
  readonly growAfterMs: number;
  /** How long requests wait while no connection takes any before a new one is made; doubles while that does not help. */
  readonly stallAfterMs: number;
  /** How long a connection beside others may be without a request. */
  readonly spareIdleMs: number;
  /** How long a connection that has nothing more to do may take to close before its socket is destroyed. */
  readonly lingerMs: number;
}

/**
 * What the service uses. On a path with a round trip below 200 ms silence to replay is at most `slowAfterMs` +
 * `pingTimeoutMs` + a fifth of `slowAfterMs` + one connect: below the resend interval of 1 s.
 */
export const DEFAULT_TIMINGS: ChannelTimings = {
  connectTimeoutMs: 10_000,
  connectAgainMs: 1_500,
  hopelessAfterMs: 800,
  slowAfterMs: 250,
  pingTimeoutMs: 500,
  idlePingMs: 20_000,
  retryBaseMs: 25,
  retryWaitingCapMs: 500,
  retryIdleCapMs: 30_000,
  stableAfterMs: 1_000,
  renewEveryMs: 1_000,
  growAfterMs: 100,
  stallAfterMs: 1_000,
  spareIdleMs: 30_000,
  lingerMs: 1_000,
};
