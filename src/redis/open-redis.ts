import { ClusterLink } from './cluster-link.ts';
import { findMaster } from './find-master.ts';
import type { RedisSettings } from './redis-address.ts';
import type { RedisEvents, RedisLink, RedisProbe, RedisScript } from './redis-link.ts';
import { SingleLink } from './single-link.ts';

/**
 * Opens a link to Redis. Never throws and never waits: it connects in the background, for ever, with pauses of at most
 * a second, and tells through `events` how it goes. `scripts` are known to a server before it is used; `probe` is what it must
 * do to count as working, without one it must write a key.
 */
export function openRedis(
  settings: RedisSettings,
  events: RedisEvents,
  use: { readonly scripts?: readonly RedisScript[]; readonly probe?: RedisProbe } = {},
): RedisLink {
  const { place, username, password, tls, ca, timeoutMs, prefix } = settings;
  const parts = { timeoutMs, prefix, scripts: use.scripts ?? [], probe: use.probe, events };
  const account = { username, password, tls, ca };
  switch (place.kind) {
    case 'single': {
      const { server, database } = place;
      const login = { ...account, database };
      return new SingleLink({ ...parts, find: async () => server, login });
    }
    case 'sentinel': {
      const { sentinels, master, database } = place;
      const login = { ...account, database };
      return new SingleLink({
        ...parts,
        find: (signal) =>
          findMaster(sentinels, master, { redis: login, own: settings.sentinelLogin }, signal),
        login,
      });
    }
    case 'cluster': {
      const login = { ...account, database: 0 };
      return new ClusterLink({ ...parts, seeds: place.servers, login });
    }
    default:
      return place satisfies never;
  }
}
