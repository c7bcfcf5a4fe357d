import type { App } from '../apps/app.ts';
import { PLATFORMS } from '../apps/platform.ts';
import type { Config } from '../config/config.ts';
import { packageVersion } from '../lib/package-version.ts';
import type { RedisServer, RedisSettings } from '../redis/redis-address.ts';
import { shownDatabase } from '../storage/address/database-address.ts';

/** What an operator must know of a service that has started, for its log line. Holds no password. */
export function startFields(config: Config, apps: readonly App[] | undefined) {
  return {
    version: packageVersion(),
    database: shownDatabase(config.databaseUrl),
    accountAuth: config.accountAuth.kind === 'none' ? 'none' : `voipgrid (${config.accountAuth.baseUrl})`,
    pbxAuth: pbxAuth(config),
    apps: apps === undefined ? 'unknown: the database is not open yet' : appsByPlatform(apps),
    redis: config.redis === undefined ? 'none: this instance works alone' : redisPlace(config.redis),
  };
}

/** The apps of each platform, e.g. `apns 2, gcm 0, android 1`. */
export function appsByPlatform(apps: readonly App[]): string {
  return PLATFORMS.map((each) => `${each} ${apps.filter(({ platform }) => platform === each).length}`).join(
    ', ',
  );
}

function pbxAuth({ pbx }: Config): string {
  const checks = [
    ...(pbx.allow === undefined ? [] : ['address']),
    ...(pbx.token === undefined ? [] : ['token']),
    ...(pbx.certificate ? ['client certificate'] : []),
  ];
  return checks.join(' and ');
}

function redisPlace({ place, tls, required }: RedisSettings): string {
  const how = `${tls ? ', TLS' : ''}${required ? ', required' : ''}`;
  switch (place.kind) {
    case 'single':
      return `${shown([place.server])}${how}`;
    case 'sentinel':
      return `master ${place.master} of Sentinels ${shown(place.sentinels)}${how}`;
    case 'cluster':
      return `Cluster ${shown(place.servers)}${how}`;
    default:
      return place satisfies never;
  }
}

function shown(servers: readonly RedisServer[]): string {
  return servers
    .map((server) => {
      if ('path' in server) return server.path;
      const { host, port } = server;
      return `${host.includes(':') ? `[${host}]` : host}:${port}`;
    })
    .join(', ');
}
