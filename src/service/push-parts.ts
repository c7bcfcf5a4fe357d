import { createHttp2Channel } from '../http2/channel.ts';
import { PingPace } from '../http2/channel-pace.ts';
import type { ChannelSpec } from '../http2/channel-pool.ts';
import type { ChannelEvents } from '../http2/channel-types.ts';
import { systemClock } from '../lib/clock.ts';
import type { ProxyRoutes } from '../lib/proxy-route.ts';
import { type AppSenders, createAppSenders } from '../push/app-senders.ts';
import { createProviders } from '../push/create-providers.ts';
import type { PushEvents } from '../push/push-events.ts';
import { createSender, type PushSender } from '../push/sender.ts';
import type { SharedTokens } from '../push/services/apns/token.ts';
import type { TokenStore } from '../push/token-actions.ts';

/** Where the push services are; https origins. */
export interface PushOrigins {
  readonly apnsUrl: string;
  readonly apnsSandboxUrl: string;
  readonly fcmUrl: string;
}

/** Everything between us and the push services. */
export interface PushParts {
  readonly senders: AppSenders;
  readonly sender: PushSender;
  /** Ends pauses and closes connections; pushes in flight end as `unavailable`. */
  close(): Promise<void>;
}

/** Builds the push side: one sender per app, connections shared by those with the same credential. */
export function createPushParts(options: {
  readonly origins: PushOrigins;
  readonly proxies: ProxyRoutes;
  /** Pushes of one app that may be in flight. */
  readonly maxInFlight: number;
  readonly tokens: TokenStore;
  /** Where Apple's provider tokens are shared with other processes. */
  readonly sharedTokens: SharedTokens;
  readonly events: PushEvents & ChannelEvents;
}): PushParts {
  const { origins, events, maxInFlight, proxies } = options;
  const clock = systemClock;
  // What an origin demands of one channel, it demands of all.
  const paces = new Map<string, PingPace>();
  function createChannel(spec: ChannelSpec, connected: () => void) {
    const pace = paces.get(spec.origin) ?? new PingPace();
    paces.set(spec.origin, pace);
    return createHttp2Channel({
      ...spec,
      proxy: proxies(new URL(spec.origin)).proxy,
      pace,
      maxInFlight,
      maxQueue: maxInFlight,
      events: {
        ...events,
        channelConnected: (event) => {
          events.channelConnected(event);
          connected();
        },
      },
    });
  }
  const createProvider = createProviders({
    createChannel,
    origins: { apns: origins.apnsUrl, apnsSandbox: origins.apnsSandboxUrl, fcm: origins.fcmUrl },
    clock,
    events,
    proxies,
    sharedTokens: options.sharedTokens,
  });
  const senders = createAppSenders({ createProvider, clock, events, maxInFlight });
  const sender = createSender({ senders, tokens: options.tokens, clock, events });
  return {
    senders,
    sender,
    close: async () => {
      await Promise.all([sender.close(), senders.close()]);
    },
  };
}
