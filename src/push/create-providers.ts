import { createSecureContext } from 'node:tls';
import type { App } from '../apps/app.ts';
import { type CreateChannel, createChannelPool } from '../http2/channel-pool.ts';
import type { Clock } from '../lib/clock.ts';
import type { ProxyRoutes } from '../lib/proxy-route.ts';
import { createRefCounted } from '../lib/ref-counted.ts';
import { credentialId } from './credential-id.ts';
import type { PushEvents } from './push-events.ts';
import type { PushProvider } from './push-provider.ts';
import { readApnsGoaway } from './services/apns/answers.ts';
import { createApnsProvider } from './services/apns/provider.ts';
import { createApnsTokens, type SharedTokens } from './services/apns/token.ts';
import { createFetchToken, type FcmAccount } from './services/fcm/oauth.ts';
import { createFcmProvider } from './services/fcm/provider.ts';
import { createFcmToken } from './services/fcm/token.ts';

/** Apple says in a GOAWAY what is wrong with a credential. */
const APPLE = { isAnswer: (goaway: string): boolean => readApnsGoaway(goaway) !== undefined };
/** Google's servers end connections that send PINGs without a request (gRPC: `too_many_pings`). */
const GOOGLE = { idlePings: false };

/** Where the push services are, e.g. `https://api.push.apple.com`; no path. */
interface PushOrigins {
  readonly apns: string;
  readonly apnsSandbox: string;
  readonly fcm: string;
}

/** Parts that every provider is made of. */
export interface ProvidersOptions {
  readonly createChannel: CreateChannel;
  readonly origins: PushOrigins;
  readonly clock: Clock;
  readonly events: PushEvents;
  /** Which proxy applies to a token endpoint. */
  readonly proxies: ProxyRoutes;
  /** Where Apple's tokens are shared with other processes; absent: nowhere. */
  readonly sharedTokens?: SharedTokens;
}

/**
 * Makes the function that makes an app's provider. Apps with the same credential share connections and tokens. That
 * function throws when nothing can be made of the app's credential.
 */
export function createProviders(options: ProvidersOptions): (app: App) => PushProvider {
  const { origins, clock, events, createChannel, proxies } = options;
  const channels = createChannelPool({ createChannel, clock });
  const apnsTokens = createApnsTokens({
    clock,
    events,
    ...(options.sharedTokens === undefined ? {} : { shared: options.sharedTokens }),
  });
  const fcmTokens = createRefCounted(
    (account: FcmAccount) => {
      const { projectId: project } = account;
      const { proxy } = proxies(new URL(account.tokenUri));
      return createFcmToken({
        fetchToken: createFetchToken(account, clock, proxy),
        clock,
        events: {
          fcmTokenFetched: (event) => events.fcmTokenFetched({ ...event, project }),
          fcmTokenFailed: (event) => events.fcmTokenFailed({ ...event, project }),
        },
      });
    },
    async (token) => token.close(),
  );

  // What can fail because of a bad key comes before the first lease, so that a failure holds nothing.
  return (app) => {
    const { credential } = app;
    const id = credentialId(credential);
    if ((credential.kind === 'fcm-service-account') !== (app.platform !== 'apns'))
      throw new Error(
        `App ${app.appId} (${app.platform}) has a credential of another platform; add it again`,
      );
    switch (credential.kind) {
      case 'apns-key': {
        const token = apnsTokens.forKey(credential);
        const production = channels.lease({ ...APPLE, origin: origins.apns }, id);
        const sandbox = channels.lease({ ...APPLE, origin: origins.apnsSandbox }, id);
        return createApnsProvider({ app, production, sandbox, token, clock });
      }
      case 'apns-certificate': {
        const tls = { cert: credential.certificate, key: credential.privateKey };
        // Throws for a pair that does not fit, which a connection would only show as unreachable.
        createSecureContext(tls);
        const production = channels.lease({ ...APPLE, origin: origins.apns, tls }, id);
        const sandbox = channels.lease({ ...APPLE, origin: origins.apnsSandbox, tls }, id);
        return createApnsProvider({ app, production, sandbox, token: undefined, clock });
      }
      case 'fcm-service-account': {
        const token = fcmTokens.lease(id, credential);
        const channel = channels.lease({ ...GOOGLE, origin: origins.fcm }, id);
        return createFcmProvider({ projectId: credential.projectId, channel, token, clock });
      }
      default:
        return credential satisfies never;
    }
  };
}
