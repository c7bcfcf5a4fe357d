import type { RedisSettings } from '../../src/redis/redis-address.ts';
import type { RedisCluster } from '../helpers/redis-cluster.ts';
import { settingsOf } from './watched-link.ts';

/** Settings with every server of the Cluster in the list. */
export function clusterSettings(cluster: RedisCluster, more: Partial<RedisSettings> = {}): RedisSettings {
  const servers = cluster.servers.map(({ port }) => ({ host: '127.0.0.1', port }));
  return { ...settingsOf('redis://unused'), place: { kind: 'cluster', servers }, ...more };
}
