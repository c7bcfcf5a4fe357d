import type { Config } from '../../config/config.ts';
import type { ProxyRoutes } from '../../lib/proxy-route.ts';

/** How the service reaches one of the servers that it asks. */
export interface ReachedBy {
  readonly destination: string;
  readonly origin: string;
  /** The proxy's origin, without credentials; null: directly. */
  readonly proxy: string | null;
  /** The setting that decides it; null: none is set. */
  readonly setting: string | null;
}

/** That of nearly all service accounts; each names its own as `token_uri`. */
const TOKEN_ENDPOINT = 'https://oauth2.googleapis.com';

/** Which proxy applies to what, for `config check`. */
export function reachedBy(config: Config): readonly ReachedBy[] {
  const { proxies, accountAuth } = config;
  return [
    routeTo('APNs', config.apnsUrl, proxies.push),
    routeTo('APNs sandbox', config.apnsSandboxUrl, proxies.push),
    routeTo('FCM', config.fcmUrl, proxies.push),
    routeTo('Google access tokens', TOKEN_ENDPOINT, proxies.push),
    ...(accountAuth.kind === 'none'
      ? []
      : [routeTo('platform API', new URL(accountAuth.baseUrl).origin, proxies.accounts)]),
  ];
}

function routeTo(destination: string, origin: string, routes: ProxyRoutes): ReachedBy {
  const { proxy, setting } = routes(new URL(origin));
  return { destination, origin, proxy: proxy?.origin ?? null, setting: setting ?? null };
}

/** The same as cells of a table. */
export function reachedByCells({ destination, origin, proxy, setting }: ReachedBy): readonly string[] {
  const way = proxy === null ? 'directly' : `through ${proxy}`;
  return [destination, origin, setting === null ? way : `${way} (${setting})`];
}
