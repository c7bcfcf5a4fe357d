import type { ForwardProxy } from '../lib/proxy-route.ts';
import type { PingPace } from './channel-pace.ts';
import type { ChannelTimings } from './channel-timings.ts';
import type { ChannelEvents } from './channel-types.ts';

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
