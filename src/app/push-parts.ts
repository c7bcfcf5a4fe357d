import type { App } from '../devices/app.ts';
import { createApnsProvider } from '../push/apns/provider.ts';
import { createApnsTokens } from '../push/apns/token.ts';
import { type AppSenders, createAppSenders } from '../push/app-senders.ts';
import { type ChannelPool, type ChannelSpec, createChannelPool } from '../push/channel-pool.ts';
import { systemClock } from '../push/clock.ts';
import { credentialId } from '../push/credential-id.ts';
import { createFetchToken, type FcmAccount } from '../push/fcm/oauth.ts';
import { createFcmProvider } from '../push/fcm/provider.ts';
import { createFcmToken, type FcmToken } from '../push/fcm/token.ts';
import { createHttp2Channel } from '../push/http2-channel.ts';
import type { ChannelEvents } from '../push/http2-channel-types.ts';
import type { PushEvents } from '../push/push-events.ts';
import type { PushProvider } from '../push/push-provider.ts';
import { createRefCounted } from '../push/ref-counted.ts';
import { createSender, type PushSender } from '../push/sender.ts';
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
  /** Pushes of one app that may be in flight. */
  readonly maxInFlight: number;
  readonly tokens: TokenStore;
  readonly events: PushEvents & ChannelEvents;
}): PushParts {
  const { events, maxInFlight } = options;
  const clock = systemClock;
  const pool = createChannelPool({
    clock,
    createChannel: ({ origin, clientCertificate }) =>
      createHttp2Channel({
        origin,
        maxInFlight,
        maxQueue: maxInFlight,
        events,
        ...(clientCertificate === undefined
          ? {}
          : { tls: { cert: clientCertificate.certificate, key: clientCertificate.privateKey } }),
      }),
  });
  const createProvider = providerFactory(options.origins, pool, events);
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

function providerFactory(
  origins: PushOrigins,
  pool: ChannelPool,
  events: PushEvents,
): (app: App) => PushProvider {
  const clock = systemClock;
  const apnsTokens = createApnsTokens({ clock, events });
  const fcmTokens = createRefCounted<FcmAccount, FcmToken>(
    (account) => createFcmToken({ fetchToken: createFetchToken(account, clock), clock, events }),
    async (token) => token.close(),
  );
  return (app) => {
    const { credential } = app;
    const id = credentialId(credential);
    if ((app.platform === 'apns') === (credential.kind === 'fcm-service-account')) {
      throw new Error(`the credential of this ${app.platform} app is a ${credential.kind}`);
    }
    if (credential.kind === 'fcm-service-account') {
      return createFcmProvider({
        projectId: credential.projectId,
        channel: pool.lease({ origin: origins.fcmUrl }, id),
        token: fcmTokens.lease(id, credential),
        clock,
      });
    }
    const shown: Pick<ChannelSpec, 'clientCertificate'> =
      credential.kind === 'apns-certificate' ? { clientCertificate: credential } : {};
    return createApnsProvider({
      app,
      production: pool.lease({ origin: origins.apnsUrl, ...shown }, id),
      sandbox: pool.lease({ origin: origins.apnsSandboxUrl, ...shown }, id),
      token: credential.kind === 'apns-key' ? apnsTokens.forKey(credential) : undefined,
      clock,
    });
  };
}
