import type { RedisSettings } from '../lib/redis-address.ts';
import { ClusterLink } from './cluster-link.ts';
import { findMaster } from './find-master.ts';
import type { RedisEvents, RedisLink, RedisScript } from './redis-link.ts';
import { SingleLink } from './single-link.ts';

/**
 * Opens a link to Redis. Never throws and never waits: it connects in the background, for ever, with pauses of at most
 * a second, and tells through `events` how it goes. Scripts that are named here are known to a server before it is used.
 */
export function openRedis(
  settings: RedisSettings,
  events: RedisEvents,
  scripts: readonly RedisScript[] = [],
): RedisLink {
  const { place, username, password, tls, ca, timeoutMs, prefix } = settings;
  const account = { username, password, tls, ca };
  switch (place.kind) {
    case 'single': {
      const { server, database } = place;
      const login = { ...account, database };
      return new SingleLink({ find: async () => server, login, timeoutMs, prefix, scripts, events });
    }
    case 'sentinel': {
      const { sentinels, master, database } = place;
      const login = { ...account, database };
      return new SingleLink({
        find: (signal) => findMaster(sentinels, master, login, signal),
        login,
        timeoutMs,
        prefix,
        scripts,
        events,
      });
    }
    case 'cluster': {
      const login = { ...account, database: 0 };
      return new ClusterLink({ seeds: place.servers, login, timeoutMs, prefix, scripts, events });
    }
    default:
      return place satisfies never;
  }
}
